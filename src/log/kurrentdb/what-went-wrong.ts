/**
 * What an error of the official client means to us. It retries nothing itself, and some of its errors are
 * for ever: then only a new client helps (spec of the client 1.3: cached discovery, ended batch streams).
 */
import { safeLine } from '../../mail/sanitize.ts';
import { Trouble } from '../../mail/trouble.ts';

/**
 * - `again`: the server is not ready, or its time ran out: the identical call, same client.
 * - `elsewhere`: another node leads now; the client dials it by itself.
 * - `away`: nobody knows whether this client can still do anything: a new one.
 */
export type Fault =
  | 'conflict'
  | 'stream-not-found'
  | 'stream-deleted'
  | 'too-large'
  | 'invalid-position'
  | 'denied'
  | 'again'
  | 'elsewhere'
  | 'away';

/** Our own timer has run out: neither an answer nor an error came. */
export class NoAnswer extends Error {
  constructor(what: string, ms: number) {
    super(`no answer to ${what} within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

const ofType: { readonly [type: string]: Fault } = {
  'wrong-expected-version': 'conflict',
  'append-consistency-violation': 'conflict',
  'stream-not-found': 'stream-not-found',
  'no-stream': 'stream-not-found',
  'stream-deleted': 'stream-deleted',
  'stream-tombstoned': 'stream-deleted',
  'maximum-append-size-exceeded': 'too-large',
  'append-record-size-exceeded': 'too-large',
  'transaction-max-size-exceeded': 'too-large',
  'access-denied': 'denied',
  'not-leader': 'elsewhere',
  timeout: 'again',
  'deadline-exceeded': 'again',
};

/** gRPC's number for who is not known. */
const unauthenticated = 16;

/**
 * The client gives some answers no type of their own; their words are the server's, which has several for one
 * thing: a page with a filter is refused as `FilteredReadAllResult: InvalidPosition`.
 */
const ofWords: readonly (readonly [RegExp, Fault])[] = [
  [/invalid ?position/i, 'invalid-position'],
  [/maximum append (event )?size/i, 'too-large'],
  [/server (is )?(not ready|busy|too busy)/i, 'again'],
  [/unauthenticated|not authenticated/i, 'denied'],
];

export function faultOf(cause: unknown): Fault {
  const { type, code, message = '' } = cause as { type?: string; code?: number; message?: string };
  const known = type === undefined ? undefined : ofType[type];
  if (known !== undefined) return known;
  if (code === unauthenticated) return 'denied';
  return ofWords.find(([words]) => words.test(message))?.[1] ?? 'away';
}

export const unavailable = (detail: string, cause?: unknown): Trouble =>
  new Trouble('log-unavailable', {
    tryAgain: true,
    peer: 'log is not available (#4.3.0)',
    detail,
    cause,
  });

export const damaged = (detail: string): Trouble =>
  new Trouble('log-damaged', {
    tryAgain: true,
    peer: 'trouble reading message (#4.3.0)',
    detail,
  });

/** For the last word on a call: nobody tries it again for us. */
export function toTrouble(what: string, cause: unknown): Trouble {
  if (cause instanceof Trouble) return cause;
  if (faultOf(cause) === 'too-large') {
    return new Trouble('too-large', {
      tryAgain: false,
      peer: 'too much for one event (#5.3.4)',
      detail: `${what}: the event store does not take so much at once (${said(cause)})`,
      cause,
    });
  }
  return unavailable(`${what}: ${wordsOf(cause)}`, cause);
}

/** For an operator: what can be done about it comes first. */
export const wordsOf = (cause: unknown): string =>
  `${faultOf(cause) === 'denied' ? `${denied}: ` : ''}${said(cause)}`;

const denied =
  'the event store does not know us or does not let us: see [log] credentials_file; the user must be in $admins, or allowed to read $all and to write our streams';

function said(cause: unknown): string {
  const { type, message } = cause as { type?: string; message?: string };
  // One half of the client says an error's name again where its words should be.
  const isSaid = (part = ''): boolean => part !== '' && !/^\w+Error$/.test(part);
  const words = [type, message].filter(isSaid).map((part) => plain(part ?? ''));
  return words.join(': ') || 'no words';
}

/** What a person needs not know of gRPC: its numbers and names, its notes to itself; and errnos in words. */
const grpc: readonly (readonly [RegExp, string])[] = [
  [/^\d+ [A-Z_]+: /, ''],
  [/[.\s]*Resolution note:.*$/s, ''],
  [/No connection established\.(?: Last error: (?:\w*Error: )?(?:null)?)?/, 'no connection: '],
  [/^Name resolution failed for target (?:dns:)?(.*)$/s, 'no address is known of $1'],
  [/^Failed to discover after \d+ attempts?\.?$/, 'no node of the cluster answers'],
  [/^unavailable$/, 'it does not answer'],
  [/connect ECONNREFUSED (\S+)/, '$1 refuses the connection'],
  [/connect ETIMEDOUT (\S+)/, '$1 does not answer'],
  [/connect (EHOSTUNREACH|ENETUNREACH) (\S+)/, 'there is no way to $2'],
  [/(read|write) ECONNRESET/, 'the connection was reset'],
  [/[\s:.]+$/, ''],
];

/** One line, whoever wrote it: some of it is the server's. */
function plain(words: string): string {
  const told = grpc.reduce((text, [what, instead]) => text.replace(what, instead), words);
  return safeLine(told, 300);
}
