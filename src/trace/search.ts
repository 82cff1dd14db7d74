/** Whether a letter is what a question asks for, and what to tell of it: a fold over its story. */
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, MessageId } from '../mail/envelope.ts';
import { messageOf, type Parent, type QueueEvent, type Tried } from '../queue/events.ts';
import type { Instant } from '../platform/clock.ts';
import { fits } from './address-pattern.ts';

export const searchStatuses = [
  'waiting',
  'held',
  'delivered',
  'failed',
  'bounced',
  'doubt',
  'cancelled',
  'done',
] as const;

export type SearchStatus = (typeof searchStatuses)[number];

/** All that are given must hold; those about a recipient must hold for the same one. */
export type Question = {
  readonly sender?: string;
  readonly recipient?: string;
  /** Of the return path or of a recipient. */
  readonly domain?: string;
  /** The Message-ID of its header, without brackets. */
  readonly messageId?: string;
  /** Of the body, both inclusive. */
  readonly minBytes?: number;
  readonly maxBytes?: number;
  /** When the letter was accepted, both inclusive. */
  readonly since?: Instant;
  readonly until?: Instant;
  readonly status?: SearchStatus;
  /** A part of the letter's id. */
  readonly id?: string;
  /** The next hop, or the name or address of the host that answered; patterns as for addresses. */
  readonly host?: string;
  /** Part of any reply on the recipient, case ignored. */
  readonly reply?: string;
  readonly parent?: MessageId;
};

export type FoundRecipient = {
  /** As it is now; `formerly` is what an operator redirected it from. */
  readonly address: Address;
  readonly formerly: readonly Address[];
  status: 'waiting' | 'attempting' | 'delivered' | 'failed' | 'cancelled';
  attempts: number;
  reply: string | undefined;
  /** Of one attempt at least nobody knows how it ended. */
  doubt: boolean;
  hostMatches: boolean;
  replyMatches: boolean;
};

export type Found = {
  readonly message: MessageId;
  readonly at: Instant;
  readonly returnPath: Address;
  readonly bytes: number;
  readonly messageId: string | undefined;
  readonly parent: Parent | undefined;
  readonly recipients: FoundRecipient[];
  held: boolean;
  bounced: boolean;
  done: boolean;
};

/** By the event that began it: whether the letter's story is worth a look. */
export function isCandidate(first: RecordedEvent, question: Question): boolean {
  const letter = begun(first);
  return letter !== undefined && mayMatch(letter, question);
}

/** What a letter's whole story, in order, says to the question; `undefined`: this letter was not asked for. */
export function answerOf(
  [first, ...later]: readonly RecordedEvent[],
  question: Question,
): Found | undefined {
  const letter = first && begun(first);
  if (letter === undefined || !mayMatch(letter, question)) return undefined;
  for (const event of later) evolve(letter, event as RecordedEvent & QueueEvent, question);
  return matches(letter, question) ? letter : undefined;
}

function begun(first: RecordedEvent): Found | undefined {
  const message = messageOf(first.stream);
  const known = first as RecordedEvent & QueueEvent;
  return message === undefined || known.type !== 'MessageAccepted'
    ? undefined
    : accepted(message, known);
}

type Accepted = Extract<QueueEvent, { type: 'MessageAccepted' }>;

function accepted(message: MessageId, { at, data }: Accepted): Found {
  const { envelope, body, parent, arrival } = data;
  return {
    ...{ message, at, parent, bytes: body.bytes, returnPath: envelope.returnPath },
    messageId: arrival.messageId,
    recipients: envelope.recipients.map((address) => ({
      ...{ address, formerly: [], status: 'waiting' as const, attempts: 0, reply: undefined },
      ...{ doubt: false, hostMatches: false, replyMatches: false },
    })),
    ...{ held: false, bounced: false, done: false },
  };
}

/** What is known when a letter is accepted and never changes; recipients may be redirected. */
export function mayMatch(letter: Found, question: Question): boolean {
  const { sender, since, until, id, parent, messageId, minBytes, maxBytes } = question;
  return (
    (since === undefined || letter.at >= since) &&
    (until === undefined || letter.at <= until) &&
    (minBytes === undefined || letter.bytes >= minBytes) &&
    (maxBytes === undefined || letter.bytes <= maxBytes) &&
    (id === undefined || isPartOf(id, letter.message)) &&
    (messageId === undefined || letter.messageId?.toLowerCase() === messageId.toLowerCase()) &&
    (parent === undefined || letter.parent?.message === parent) &&
    (sender === undefined || fits(sender, letter.returnPath))
  );
}

/** Dashes may be left out. */
const isPartOf = (part: string, id: MessageId): boolean =>
  id.includes(part.toLowerCase()) || id.replaceAll('-', '').includes(part.toLowerCase());

function evolve(letter: Found, event: QueueEvent, question: Question): void {
  const { recipients } = letter;
  switch (event.type) {
    case 'AttemptStarted':
      event.data.rcpts.forEach((rcpt, index) => {
        const recipient = recipients[rcpt];
        const route = event.data.routes[index];
        const host = route && (route.hop.host || route.channel);
        if (recipient === undefined) return;
        recipient.status = 'attempting';
        recipient.attempts += 1;
        hear(recipient, [host, route?.hop.relay?.host], question);
      });
      break;
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed':
      judge(recipients[event.data.rcpt], event.type, event.data, question);
      break;
    case 'RecipientCancelled': {
      const recipient = recipients[event.data.rcpt];
      if (recipient !== undefined) recipient.status = 'cancelled';
      break;
    }
    case 'RecipientRedirected': {
      const { rcpt, to } = event.data;
      const before = recipients[rcpt];
      if (before === undefined) break;
      recipients[rcpt] = { ...before, address: to, formerly: [...before.formerly, before.address] };
      break;
    }
    case 'MessageHeld':
    case 'MessageReleased':
      letter.held = event.type === 'MessageHeld';
      break;
    case 'BounceQueued':
      letter.bounced = true;
      break;
    case 'MessageCleanedUp':
      letter.done = true;
      break;
    default:
  }
}

const statusAfter = {
  RecipientDelivered: 'delivered',
  RecipientDeferred: 'waiting',
  RecipientFailed: 'failed',
} as const;

function judge(
  recipient: FoundRecipient | undefined,
  type: keyof typeof statusAfter,
  { reply, doubt }: Tried & { readonly doubt?: true },
  question: Question,
): void {
  if (recipient === undefined) return;
  recipient.doubt ||= doubt === true;
  recipient.status = statusAfter[type];
  recipient.reply = reply.text;
  hear(recipient, [reply.host, reply.address], question);
  if (question.reply === undefined) return;
  recipient.replyMatches ||= reply.text.toLowerCase().includes(question.reply.toLowerCase());
}

function hear(
  recipient: FoundRecipient,
  hosts: readonly (string | undefined)[],
  { host }: Question,
): void {
  if (host === undefined || recipient.hostMatches) return;
  recipient.hostMatches = hosts.some((name) => name !== undefined && fits(host, name));
}

/** Whether a letter as it stands is what the question asks for. */
export function matches(letter: Found, question: Question): boolean {
  if (!letterHas(letter, question)) return false;
  if (letter.recipients.length === 0) return isToNobody(question);
  return letter.recipients.some((recipient) => matchesRecipient(letter, recipient, question));
}

/** A letter to nobody is legal, and found by everything that does not ask about a recipient. */
function isToNobody({ recipient, host, reply, status }: Question): boolean {
  const asksForOne = recipient !== undefined || host !== undefined || reply !== undefined;
  return !asksForOne && (status === undefined || status === 'done');
}

function letterHas(letter: Found, { status, domain }: Question): boolean {
  if (domain !== undefined && !isOfDomain(letter, domain)) return false;
  if (status === 'bounced') return letter.bounced;
  return status === 'done' ? letter.done : true;
}

const isOfDomain = ({ returnPath, recipients }: Found, domain: string): boolean =>
  fits(`@${domain}`, returnPath) ||
  recipients.some(({ address, formerly }) =>
    [address, ...formerly].some((each) => fits(`@${domain}`, each)),
  );

/** Whether this one recipient is what the question asks for; also which to show. */
export function matchesRecipient(
  letter: Found,
  recipient: FoundRecipient,
  question: Question,
): boolean {
  return (
    isMeant(recipient, question.recipient) &&
    (question.host === undefined || recipient.hostMatches) &&
    (question.reply === undefined || recipient.replyMatches) &&
    hasStatus(letter, recipient, question.status)
  );
}

const isMeant = ({ address, formerly }: FoundRecipient, pattern: string | undefined): boolean =>
  pattern === undefined || [address, ...formerly].some((each) => fits(pattern, each));

function hasStatus(
  letter: Found,
  { status, doubt }: FoundRecipient,
  wanted: SearchStatus | undefined,
): boolean {
  const open = status === 'waiting' || status === 'attempting';
  switch (wanted) {
    case 'waiting':
      return open && !letter.held;
    case 'held':
      return open && letter.held;
    case 'bounced':
      return status === 'failed';
    case 'doubt':
      return doubt;
    case 'delivered':
    case 'failed':
    case 'cancelled':
      return status === wanted;
    case 'done':
    case undefined:
      return true;
  }
}

/** The one word for a letter. */
export function statusOf(letter: Found): SearchStatus {
  const { recipients, held, bounced } = letter;
  const has = (...statuses: readonly string[]) =>
    recipients.some(({ status }) => statuses.includes(status));
  if (has('waiting', 'attempting')) return held ? 'held' : 'waiting';
  if (bounced) return 'bounced';
  if (has('failed')) return 'failed';
  if (has('delivered')) return 'delivered';
  return has('cancelled') ? 'cancelled' : 'done';
}
