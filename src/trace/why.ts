/** Why a letter's recipients are where they are, or were: everything that `reasonOf` needs, read from the log. */
import { settings } from '../control/settings.ts';
import type { LogReader, Position } from '../log/ports.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import { findRecipients } from './find-recipients.ts';
import { readLetter } from './read-letter.ts';
import { foldLetter, reasonOf, type LetterState, type Reason, type Situation } from './reason.ts';
import { rulesBefore, type NodeHistory } from './rules-of-the-day.ts';
import { slotWait, type SlotWait } from './slot-wait.ts';

export type WhyQuestion = {
  readonly log: Pick<LogReader, 'readStream' | 'readAll' | 'head'>;
  readonly message: MessageId;
  /** Number or address of a recipient; absent: all, those that still wait first, at most `mostTold`. */
  readonly rcpt?: string | undefined;
  readonly history: NodeHistory;
  readonly now: Instant;
  /** Nothing after this event is known; absent: the present. */
  readonly upTo?: Position;
  readonly engineRuns: boolean | undefined;
};

export type WhyAnswer = {
  readonly reasons: readonly Reason[];
  /** Recipients that nothing was said of. */
  readonly untold: number;
  /** How many events of the letter there were at that point; 0: it was not there yet. */
  readonly events: number;
  /** Why the letter is set aside: an event of it makes no sense, or cannot be read. */
  readonly odd?: string;
};

/** So many recipients are told of when none is named. */
export const mostTold = 100;

/** The look back for slots reads much: it is made for so many recipients at most. */
const mostLookedBack = 5;

/** A wait is worth a look from here on. */
const worthMs = 1_000;

/** Throws `not-found` for a recipient that the letter has not. */
export async function whyLetter(question: WhyQuestion): Promise<WhyAnswer> {
  const { log, message, rcpt, history, now, upTo = Infinity, engineRuns } = question;
  const { events: all, lost } = await readLetter(log, message);
  const events = all.filter(({ position }) => position <= upTo);
  const letter = foldLetter(events);
  const rcpts =
    rcpt === undefined
      ? mostInteresting(letter)
      : findRecipients(rcpt, letter.state, letter.envelope);
  const situation = { message, events, history, now, engineRuns };
  const reasons: Reason[] = [];
  for (const each of rcpts) {
    const reason = reasonOf(each, situation, letter.state);
    const slots =
      reasons.length < mostLookedBack ? await slotsOf(question, reason, situation) : undefined;
    reasons.push(slots === undefined ? reason : { ...reason, slots });
  }
  const untold = rcpt === undefined ? letter.state.recipients.length - rcpts.length : 0;
  const odd = lost.length > 0 ? `revision ${lost[0]} of it cannot be read` : letter.odd;
  return { reasons, untold, events: events.length, ...(odd === undefined ? {} : { odd }) };
}

/** The point of the log that a place means: how far is looked, and what was now then. */
export async function momentOf(
  log: Pick<LogReader, 'readAll'>,
  place: { readonly position: Position } | { readonly at: Instant },
  positionOf: (instant: Instant) => Promise<Position>,
): Promise<{ readonly now: Instant; readonly upTo: Position }> {
  if ('at' in place) return { now: place.at, upTo: await positionOf(place.at) };
  const { position } = place;
  const [last] = await log.readAll({ after: position + 1, direction: 'backwards', limit: 1 });
  return { now: last?.at ?? 0, upTo: position };
}

/** Those that still wait come first. */
function mostInteresting({ state }: LetterState): RecipientNo[] {
  const all = [...state.recipients.keys()];
  const isOpen = (rcpt: RecipientNo) =>
    ['waiting', 'attempting'].includes(state.recipients[rcpt]!.status);
  if (all.length <= mostTold) return all;
  return [...all.filter(isOpen), ...all.filter((rcpt) => !isOpen(rcpt))].slice(0, mostTold);
}

/** Of the wait that is still on, else of the one before its last attempt, where it was long enough to ask. */
async function slotsOf(
  { log, history, now, upTo }: WhyQuestion,
  { waitsFor, schedule, started, route, holds }: Reason,
  { events }: Situation,
): Promise<SlotWait | undefined> {
  if (route === undefined) return undefined;
  const waits = waitsFor === 'slot' || (waitsFor === 'engine' && schedule !== undefined);
  const asked = waits ? schedule?.dueAt : started?.dueAt;
  const until = waits ? now : started?.at;
  if (asked === undefined || until === undefined) return undefined;
  // While it was held no slot would have helped.
  const dueAt = Math.max(asked, ...holds.filter(({ to }) => to <= until).map(({ to }) => to));
  if (until - dueAt < worthMs) return undefined;
  const head = upTo ?? (await log.head());
  const start = events.findLast(
    ({ type, data }) =>
      type === 'AttemptStarted' && (data as { attempt: number }).attempt === started?.attempt,
  );
  const before = waits || start === undefined ? head + 1 : start.position;
  const slots = slotsThen(history, before, route.channel);
  return slotWait(log, { dueAt, until, before, route, slots });
}

/** Concurrency is read at a start of the engine only; the version in force is the best that the log knows. */
function slotsThen(history: NodeHistory, before: Position, channel: 'local' | 'remote'): number {
  const file = `concurrency${channel}` as const;
  const text = rulesBefore(history, before)?.files[file];
  return settings[file].value(text, { me: undefined, file }).value;
}

/** The last event that is not later than `instant`; 0 when there is none. Clocks set back blur it by as much. */
export async function positionAt(
  log: Pick<LogReader, 'readAll' | 'head'>,
  instant: Instant,
): Promise<Position> {
  let low = 0;
  let high = await log.head();
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [next] = await log.readAll({ after: middle, limit: 1 });
    if (next === undefined || next.at > instant) high = middle;
    else low = next.position;
  }
  return low;
}
