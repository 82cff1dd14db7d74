/** Who calls, as far as a call says, and whether he may read. Who is welcome is for others to know. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { accessDenied, notAuthenticated } from './refusals.ts';

export type Caller = {
  /** What he says of himself. */
  readonly login: Login | undefined;
  readonly peer: Place | undefined;
  /** Where he knocks. */
  readonly here: Place;
};

export type Login = {
  readonly name: string;
  /**
   * What he sent, and what it means where it was not unescaped: the half of Node's client that reads sends
   * a password as it stands in the address.
   */
  readonly passwords: readonly string[];
};

export type Place = { readonly address: string; readonly port: number };

/** `false`: nobody we know, or not with that password; a number: so many milliseconds before he may try again. */
export type Doorkeeper = (caller: Caller) => Promise<boolean | number>;

type Call = Pick<ServerWritableStream<unknown, unknown>, 'metadata' | 'getPeer'>;

/** Throws `Refusal`. */
export async function admit(call: Call, here: Place, mayRead: Doorkeeper): Promise<void> {
  const caller = callerOf(call, here);
  const verdict = await mayRead(caller);
  if (verdict === true) return;
  if (typeof verdict === 'number') throw notAuthenticated(verdict);
  // As the event store says it: nobody may not, and somebody else is not who he says.
  throw caller.login === undefined ? accessDenied() : notAuthenticated();
}

function callerOf(call: Call, here: Place): Caller {
  const [said] = call.metadata.get('authorization');
  const [, address = '', port = ''] = /^(.*):([0-9]+)$/.exec(call.getPeer()) ?? [];
  return {
    here,
    login: typeof said === 'string' ? loginIn(said) : undefined,
    peer: address === '' ? undefined : { address, port: Number(port) },
  };
}

/** RFC 7617. */
function loginIn(authorization: string): Caller['login'] {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const said = text.slice(colon + 1);
  const meant = unescaped(said);
  return { name: text.slice(0, colon), passwords: said === meant ? [said] : [said, meant] };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
