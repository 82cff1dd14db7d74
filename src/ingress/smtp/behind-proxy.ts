/** Reads off a connection whose it is, where a load balancer says so before the client speaks. */
import type net from 'node:net';
import type { Clock } from '../../platform/clock.ts';
import { readProxyHeader, type ProxyHeader } from '../../wire/proxy-header.ts';

/** Balancers send it at once, whatever their clients do. */
const limitMs = 10_000;

export type Told =
  | Extract<ProxyHeader, { readonly kind: 'header' | 'bad' }>
  /** Without a byte: a balancer that looked whether we are there. */
  | { readonly kind: 'silent' };

/** What comes after the header is left in the socket, nobody reading it. A socket without one is the caller's to close. */
export function whoIsBehind(socket: net.Socket, clock: Clock): Promise<Told> {
  let bytes: Buffer = Buffer.alloc(0);
  return new Promise((resolve) => {
    const conclude = (told: Told): void => {
      cancel();
      socket.off('readable', read).off('end', gone).off('close', gone);
      resolve(told);
    };
    const gone = (): void =>
      conclude(
        bytes.length === 0 ? { kind: 'silent' } : { kind: 'bad', why: 'gone in its PROXY header' },
      );
    const read = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null;) {
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
        const told = readProxyHeader(bytes);
        if (told.kind !== 'more') {
          if (told.kind === 'header' && told.bytes < bytes.length)
            socket.unshift(bytes.subarray(told.bytes));
          return conclude(told);
        }
        chunk = socket.read() as Buffer | null;
      }
    };
    const cancel = clock.after(limitMs, () =>
      conclude({ kind: 'bad', why: 'no PROXY header in time' }),
    );
    socket.on('readable', read).on('end', gone).on('close', gone);
  });
}
