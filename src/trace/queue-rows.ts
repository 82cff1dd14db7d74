/** What waits, in the order in which it is due: the agenda's rows, and per row what its letter's stream adds. */
import { rowStatus, type Row } from '../../projections/agenda-rows.ts';
import type { Agenda } from '../../projections/agenda.ts';
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Reply } from '../mail/verdict.ts';
import type { Instant } from '../platform/clock.ts';
import type { ByHand, QueueEvent } from '../queue/events.ts';
import { initial, whyPassedOver } from '../queue/state.ts';

/** One recipient without a terminal event, as the agenda has it. */
export type QueueRow = {
  readonly message: MessageId;
  readonly rcpt: RecipientNo;
  readonly lane: string;
  readonly due: Instant;
  readonly status: 'waiting' | 'held' | 'attempting';
};

export type QueueCounts = {
  readonly letters: number;
  readonly recipients: number;
  readonly due: number;
  readonly held: number;
  readonly attempting: number;
  readonly owing: number;
  /** Letters with an event that makes no sense to the agenda. */
  readonly aside: number;
};

/**
 * The first `limit` rows by due time, and how many there are of each kind. Never holds more than twice
 * `limit` rows of its own, however long the queue.
 */
export function firstDue(
  { rows, owing, aside }: Agenda,
  now: Instant,
  limit: number,
): { readonly rows: readonly QueueRow[]; readonly counts: QueueCounts } {
  const counts = {
    ...{ letters: 0, recipients: 0, due: 0, held: 0, attempting: 0 },
    ...{ owing: owing.size, aside: aside.size },
  };
  const earlier = (a: Row, b: Row): number =>
    rows.due[a]! - rows.due[b]! ||
    // By name and not by number: numbers are reused, and the same queue has others when read from a checkpoint.
    rows.compareIds(rows.letter[a]!, rows.letter[b]!) ||
    rows.rcpt[a]! - rows.rcpt[b]!;
  let best: Row[] = [];
  for (const letter of rows.openLetters()) {
    counts.letters += 1;
    for (const row of rows.rowsOf(letter)) {
      counts.recipients += 1;
      if (rows.status[row] === rowStatus.attempting) counts.attempting += 1;
      else if (rows.isHeld(letter)) counts.held += 1;
      else if (rows.due[row]! <= now) counts.due += 1;
      best.push(row);
      if (best.length >= 2 * Math.max(limit, 500)) best = best.sort(earlier).slice(0, limit);
    }
  }
  const shown = best.sort(earlier).slice(0, limit);
  return { rows: shown.map((row) => toQueueRow(rows, row)), counts };
}

function toQueueRow(rows: Agenda['rows'], row: Row): QueueRow {
  const letter = rows.letter[row]!;
  const attempting = rows.status[row] === rowStatus.attempting;
  return {
    message: rows.idOf(letter),
    rcpt: rows.rcpt[row]!,
    lane: rows.laneName(rows.lane[row]!),
    due: rows.due[row]!,
    status: attempting ? 'attempting' : rows.isHeld(letter) ? 'held' : 'waiting',
  };
}

/** What a letter's own events say of its recipients. */
export type LetterFacts = {
  readonly birth: Instant;
  readonly returnPath: Address;
  readonly bytes: number;
  readonly held: (ByHand & { readonly at: Instant }) | undefined;
  readonly settledAt: Instant | undefined;
  /** Why it is set aside: an event that makes no sense, or cannot be read. */
  readonly odd: string | undefined;
  readonly recipients: readonly RecipientFacts[];
};

export type RecipientFacts = {
  readonly address: Address;
  readonly tries: number;
  readonly lastReply: Reply | undefined;
  /** Of the attempt under way. */
  readonly startedAt: Instant | undefined;
  /** Its maker is gone, and nobody knows whether it is under way: it is in doubt then, if not before. */
  readonly doubtfulAt: Instant | undefined;
};

export function letterFacts(events: readonly RecordedEvent[]): LetterFacts {
  const state = initial();
  const replies = new Map<RecipientNo, Reply>();
  let held: LetterFacts['held'];
  let odd: string | undefined;
  for (const event of events as readonly (RecordedEvent & QueueEvent)[]) {
    const why = whyPassedOver(state, event);
    odd ??= why;
    if (why !== undefined) continue;
    if (event.type === 'RecipientDeferred') replies.set(event.data.rcpt, event.data.reply);
    if (event.type === 'MessageHeld') held = { ...event.data, at: event.at };
    if (event.type === 'MessageReleased') held = undefined;
  }
  const startedAt = new Map<RecipientNo, Instant>();
  const doubtfulAt = new Map<RecipientNo, Instant>();
  for (const open of state.open.values()) {
    for (const rcpt of open.rcpts) {
      if (state.recipients[rcpt]?.status !== 'attempting') continue;
      startedAt.set(rcpt, open.startedAt);
      if (open.by !== state.owner) doubtfulAt.set(rcpt, open.untilAt);
    }
  }
  return {
    ...{ birth: state.birth, returnPath: state.returnPath, bytes: state.body.bytes },
    ...{ held, settledAt: state.settledAt, odd },
    recipients: state.recipients.map(({ address, tries }, rcpt) => ({
      ...{ address, tries },
      lastReply: replies.get(rcpt),
      startedAt: startedAt.get(rcpt),
      doubtfulAt: doubtfulAt.get(rcpt),
    })),
  };
}
