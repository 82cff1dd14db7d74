/**
 * What qmailanalog's matchup makes of a log: one record per finished attempt, one per finished letter. Every z*
 * report is a fold over these. Remembers the letters that are open, and nothing of those that are done.
 */
import type { Given, Happening, Option } from '../src/ask/ports.ts';
import type { MessageId, RecipientNo } from '../src/mail/envelope.ts';
import type { Instant } from '../src/platform/clock.ts';
import { messageOf, type Route } from '../src/queue/events.ts';

/** qmail's letters for success, failure and deferral. */
export type Result = 'k' | 'z' | 'd';

/** One attempt at one recipient. */
export type Delivery = {
  readonly kind: 'd';
  readonly result: 'k' | 'd' | 'z';
  readonly birth: Instant;
  readonly startedAt: Instant;
  readonly doneAt: Instant;
  readonly bytes: number;
  readonly sender: string;
  /** `local.joe@a.test`, `remote.ann@b.test`. */
  readonly recipient: string;
  readonly qp: number;
  readonly uid: string;
  /** The report as it came; `reasonOf` makes one word of it. */
  readonly text: string;
};

/** One letter that is done: how many recipients it reached, how many it did not, how often it was deferred. */
export type Done = {
  readonly kind: 'm';
  readonly birth: Instant;
  readonly doneAt: Instant;
  readonly bytes: number;
  readonly successes: number;
  readonly failures: number;
  readonly deferrals: number;
  readonly sender: string;
  readonly qp: number;
  readonly uid: string;
};

type Letter = {
  readonly birth: Instant;
  readonly bytes: number;
  readonly sender: string;
  readonly qp: number;
  readonly uid: string;
  /** Of each recipient; the route may change from attempt to attempt. */
  channels: (string | undefined)[];
  successes: number;
  failures: number;
  deferrals: number;
};

export type Matching = {
  readonly open: Map<MessageId, Letter>;
  readonly filter: Filter;
};

type Filter = {
  readonly since: Instant;
  readonly sender: string | undefined;
  readonly recipient: string | undefined;
  readonly qp: number | undefined;
};

/** What every report takes: qmailanalog's xsender, xrecipient and xqp. */
export const matchingOptions: { readonly [name: string]: Option } = {
  sender: { kind: 'text', about: 'only letters of this return path (xsender)' },
  recipient: { kind: 'text', about: 'only deliveries to this address (xrecipient)' },
  qp: { kind: 'number', about: 'only this letter: its qp, where its first event stands (xqp)' },
};

export const matchingHears = [
  'MessageAccepted',
  'MessageQueued',
  'AttemptStarted',
  'RecipientDelivered',
  'RecipientDeferred',
  'RecipientFailed',
  'MessageCleanedUp',
] as const satisfies readonly Happening['type'][];

export const openLettersOnly =
  'the letters that are open: about 300 bytes each and 16 per recipient';

export function startMatching({ sender, recipient, qp, since = -Infinity }: Given): Matching {
  const wanted = (text: unknown) => (typeof text === 'string' ? text.toLowerCase() : undefined);
  return {
    open: new Map(),
    filter: {
      ...{ since, sender: wanted(sender), recipient: wanted(recipient) },
      qp: typeof qp === 'number' ? qp : undefined,
    },
  };
}

/** What an event completes, if it completes something that is asked for. */
export function match(matching: Matching, event: Happening): Delivery | Done | undefined {
  const message = messageOf(event.stream);
  if (message === undefined) return undefined;
  switch (event.type) {
    case 'MessageAccepted':
      matching.open.set(message, opened(event));
      return undefined;
    case 'MessageQueued': {
      const letter = matching.open.get(message);
      if (letter !== undefined) letter.channels = event.data.routes.map(channelOf);
      return undefined;
    }
    case 'AttemptStarted':
      noteRoutes(letterOf(matching, message, event), event.data.rcpts, event.data.routes);
      return undefined;
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed':
      return tried(matching, letterOf(matching, message, event), event);
    case 'MessageCleanedUp':
      return done(matching, message, event);
    default:
      return undefined;
  }
}

type Accepted = Extract<Happening, { type: 'MessageAccepted' }>;
type Verdict = Extract<
  Happening,
  { type: 'RecipientDelivered' | 'RecipientDeferred' | 'RecipientFailed' }
>;

const opened = ({ at, position, data }: Accepted): Letter => ({
  ...{ birth: at, bytes: data.body.bytes, sender: data.envelope.returnPath.toLowerCase() },
  ...{ qp: position, uid: uidOf(data.arrival), channels: [] },
  ...{ successes: 0, failures: 0, deferrals: 0 },
});

/** A letter whose beginning is not in the log any more: as matchup does, unknown and of no size. */
function letterOf({ open }: Matching, message: MessageId, event: Happening): Letter {
  const known = open.get(message);
  if (known !== undefined) return known;
  const stranger: Letter = {
    ...{ birth: event.at, bytes: 0, sender: '?', qp: event.position, uid: '?', channels: [] },
    ...{ successes: 0, failures: 0, deferrals: 0 },
  };
  open.set(message, stranger);
  return stranger;
}

/**
 * Whose program queued it: the kernel's word for local programs. Letters from the network and our own had
 * users of their own in qmail; these are their usual numbers (qmaild, qmails), so that reports stay readable.
 */
export function uidOf({ uid, protocol }: Accepted['data']['arrival']): string {
  if (uid !== undefined) return String(uid);
  return protocol === 'bounce' || protocol === 'forward' ? '7796' : '7791';
}

const channelOf = ({ channel }: Route): string => channel;

function noteRoutes(letter: Letter, rcpts: readonly RecipientNo[], routes: readonly Route[]): void {
  rcpts.forEach((rcpt, index) => {
    const channel = routes[index]?.channel;
    if (channel !== undefined) letter.channels[rcpt] = channel;
  });
}

const results = { RecipientDelivered: 'k', RecipientDeferred: 'z', RecipientFailed: 'd' } as const;

function tried({ filter }: Matching, letter: Letter, event: Verdict): Delivery | undefined {
  const result = results[event.type];
  if (result === 'k') letter.successes += 1;
  else if (result === 'd') letter.failures += 1;
  else letter.deferrals += 1;
  if (!isAsked(filter, letter, event.at)) return undefined;
  const { rcpt, address, startedAt, reply } = event.data;
  const lower = address.toLowerCase();
  if (filter.recipient !== undefined && lower !== filter.recipient) return undefined;
  const { birth, bytes, sender, qp, uid, channels } = letter;
  const recipient = `${channels[rcpt] ?? 'remote'}.${lower}`;
  // Of a letter whose beginning nobody knows, the attempt is all there is.
  const from = sender === '?' ? startedAt : birth;
  return {
    ...{ kind: 'd', result, birth: from, startedAt, doneAt: event.at },
    ...{ bytes, sender, recipient, qp, uid, text: reply.text },
  };
}

function done({ open, filter }: Matching, message: MessageId, { at }: Happening): Done | undefined {
  const letter = open.get(message);
  open.delete(message);
  // xrecipient passes lines about deliveries only.
  if (letter === undefined || filter.recipient !== undefined) return undefined;
  if (!isAsked(filter, letter, at)) return undefined;
  const { channels: _channels, ...rest } = letter;
  return { kind: 'm', doneAt: at, ...rest };
}

const isAsked = ({ since, sender, qp }: Filter, letter: Letter, at: Instant): boolean =>
  at >= since &&
  (sender === undefined || letter.sender === sender) &&
  (qp === undefined || letter.qp === qp);

/** Seconds. */
export const seconds = (ms: number): number => ms / 1000;
export const xdelayOf = ({ startedAt, doneAt }: Delivery): number => seconds(doneAt - startedAt);
export const ddelayOf = ({ birth, doneAt }: Delivery): number => seconds(doneAt - birth);
