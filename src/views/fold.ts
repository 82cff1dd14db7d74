/**
 * Events into what the views must write: which letters changed, what was answered, and sums. Pure: letters
 * of earlier batches come from `find`, and all that changes stays in `Changes` until somebody writes it.
 */
import { logStart, type Position, type RecordedEvent } from '../log/ports.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import { messageOf, type QueueEvent, type Route, type Tried } from '../queue/events.ts';
import type { VerdictName, ViewAttempt, ViewLetter, ViewRecipient } from './letter.ts';

/** Rises when tables or fold change: older views are then thrown away and computed again. */
export const viewsFingerprint = 'views 1';

/** The letter as earlier events left it, the caller's own to change; absent: there is none. */
export type FindLetter = (message: MessageId) => ViewLetter | undefined;

/** What happened in one minute. */
export type Minute = {
  /** Positions of the first and last letter accepted in it; 0 when there was none. */
  first: Position;
  last: Position;
  accepted: number;
  bytes: number;
  delivered: number;
  deferred: number;
  failed: number;
};

/** What one next hop did in one hour. */
export type HostHour = {
  delivered: number;
  deferred: number;
  failed: number;
  /** Of all attempts together. */
  ms: number;
  lastAt: number;
  /** Position of the last verdict that was no success. */
  trouble: Position | undefined;
};

/** A letter that changed. */
export type Changed = {
  readonly letter: ViewLetter;
  /** It was accepted in this batch. */
  readonly isNew: boolean;
  /** Numbers of recipients that changed; of a new letter all have. */
  readonly rcpts: Set<RecipientNo>;
};

export type Changes = {
  readonly letters: Map<MessageId, Changed>;
  readonly attempts: ViewAttempt[];
  /** By minute since 1970. */
  readonly minutes: Map<number, Minute>;
  /** By hour since 1970, then by host. */
  readonly hosts: Map<number, Map<string, HostHour>>;
};

export const noChanges = (): Changes => ({
  letters: new Map(),
  attempts: [],
  minutes: new Map(),
  hosts: new Map(),
});

const minuteMs = 60_000;
const hourMs = 3_600_000;

/** Events that change nothing in the views; their data need not even be parsed. */
export const isNews = (type: string): boolean => !indifferent.has(type);
const indifferent = new Set(['MessageSettled', 'BounceDiscarded', 'MessageAdopted']);

export function fold(changes: Changes, event: RecordedEvent, find: FindLetter): void {
  const message = messageOf(event.stream);
  if (message === undefined) return;
  const known = event as RecordedEvent & QueueEvent;
  if (known.type === 'MessageAccepted') {
    // A letter has one row: in the middle of a stream nothing is accepted, whatever stands there.
    if (event.revision === 0) accept(changes, message, known);
    return;
  }
  let changed = changes.letters.get(message);
  if (changed === undefined) {
    const letter = find(message);
    if (letter === undefined) return;
    changed = { letter, isNew: false, rcpts: new Set() };
    changes.letters.set(message, changed);
  }
  evolve(changes, changed, known);
}

type Accepted = RecordedEvent & Extract<QueueEvent, { type: 'MessageAccepted' }>;

function accept(changes: Changes, id: MessageId, { at, position, data }: Accepted): void {
  const { envelope, body, arrival, parent } = data;
  const letter: ViewLetter = {
    ...{ pos: position, id, at, returnPath: envelope.returnPath, bytes: body.bytes, parent },
    ...{ protocol: arrival.protocol, peer: arrival.peer, helo: arrival.helo, auth: arrival.auth },
    ...{ messageId: arrival.messageId, child: undefined, held: false, doneAt: undefined },
    recipients: envelope.recipients.map((address) => ({
      ...{ address, formerly: [], channel: '', host: '', relay: undefined, rule: '' },
      ...{ state: 'waiting' as const, attempts: 0, dueAt: at, last: undefined, doubt: false },
    })),
  };
  changes.letters.set(id, { letter, isNew: true, rcpts: new Set() });
  const minute = minuteOf(changes, at);
  minute.accepted += 1;
  minute.bytes += body.bytes;
  if (minute.first === logStart) minute.first = position;
  minute.last = position;
}

function evolve(changes: Changes, changed: Changed, event: RecordedEvent & QueueEvent): void {
  const { letter, rcpts } = changed;
  const { recipients } = letter;
  const change = (rcpt: RecipientNo, to: Partial<ViewRecipient>): void => {
    const recipient = recipients[rcpt];
    if (recipient === undefined) return;
    Object.assign(recipient, to);
    rcpts.add(rcpt);
  };
  switch (event.type) {
    case 'MessageQueued':
      event.data.routes.forEach((route, rcpt) => change(rcpt, toWay(route)));
      break;
    case 'AttemptStarted':
      event.data.rcpts.forEach((rcpt, index) => {
        const attempts = (recipients[rcpt]?.attempts ?? 0) + 1;
        const route = event.data.routes[index];
        const to = { ...(route && toWay(route)), state: 'attempting' as const, attempts };
        change(rcpt, { ...to, dueAt: undefined });
      });
      break;
    case 'RecipientDelivered':
      judge(changes, changed, event, 'delivered', {});
      break;
    case 'RecipientDeferred':
      judge(changes, changed, event, 'deferred', event.data);
      break;
    case 'RecipientFailed':
      judge(changes, changed, event, 'failed', event.data);
      break;
    case 'RecipientCancelled':
      change(event.data.rcpt, { state: 'cancelled', dueAt: undefined });
      break;
    case 'RecipientRedirected': {
      const { rcpt, to } = event.data;
      const before = recipients[rcpt];
      const formerly = before === undefined ? [] : [...before.formerly, before.address];
      change(rcpt, { address: to, formerly, dueAt: event.at });
      break;
    }
    case 'RetryRequested':
      for (const rcpt of event.data.rcpts) {
        if (recipients[rcpt]?.state === 'waiting') change(rcpt, { dueAt: event.at });
      }
      break;
    case 'MessageHeld':
    case 'MessageReleased':
      letter.held = event.type === 'MessageHeld';
      break;
    case 'BounceQueued':
      letter.child = event.data.child;
      // Those are found as bounced from now on.
      recipients.forEach(({ state }, rcpt) => {
        if (state === 'failed') rcpts.add(rcpt);
      });
      break;
    case 'MessageCleanedUp':
      letter.doneAt = event.at;
      break;
    default:
  }
}

const toWay = ({ channel, hop, rule }: Route): Partial<ViewRecipient> => ({
  ...{ channel, rule, host: hop.host || channel, relay: hop.relay?.host },
});

const stateAfter = { delivered: 'delivered', deferred: 'waiting', failed: 'failed' } as const;

type Judgement = RecordedEvent & { readonly data: Tried };

function judge(
  changes: Changes,
  { letter, rcpts }: Changed,
  { position, at, data }: Judgement,
  kind: VerdictName,
  { dueAt, doubt = false }: { readonly dueAt?: number; readonly doubt?: boolean },
): void {
  const { rcpt, attempt, startedAt, reply } = data;
  const recipient = letter.recipients[rcpt];
  if (recipient === undefined) return;
  rcpts.add(rcpt);
  recipient.state = stateAfter[kind];
  recipient.dueAt = dueAt;
  recipient.last = position;
  recipient.doubt ||= doubt;
  changes.attempts.push({
    ...{ pos: position, letter: letter.pos, rcpt, attempt, startedAt, endedAt: at, kind },
    ...{
      host: recipient.host,
      relay: recipient.relay,
      code: reply.code,
      status: reply.status,
      dueAt,
      doubt,
    },
    ...{ answeredBy: reply.host, address: reply.address, reply: reply.text },
  });
  minuteOf(changes, at)[kind] += 1;
  const host = hostOf(changes, at, recipient.relay ?? recipient.host);
  host[kind] += 1;
  host.ms += Math.max(0, at - startedAt);
  host.lastAt = Math.max(host.lastAt, at);
  if (kind !== 'delivered') host.trouble = position;
}

function minuteOf({ minutes }: Changes, at: number): Minute {
  const number = Math.floor(at / minuteMs);
  const known = minutes.get(number);
  if (known !== undefined) return known;
  const minute = {
    ...{ first: logStart, last: logStart, accepted: 0, bytes: 0 },
    ...{ delivered: 0, deferred: 0, failed: 0 },
  };
  minutes.set(number, minute);
  return minute;
}

function hostOf({ hosts }: Changes, at: number, name: string): HostHour {
  const hour = Math.floor(at / hourMs);
  let byName = hosts.get(hour);
  if (byName === undefined) hosts.set(hour, (byName = new Map<string, HostHour>()));
  let host = byName.get(name);
  if (host === undefined) {
    host = { delivered: 0, deferred: 0, failed: 0, ms: 0, lastAt: 0, trouble: undefined };
    byName.set(name, host);
  }
  return host;
}
