/** The queue of an instant as lines: for a person, or JSON. What the rows do not say is read from each letter's stream. */
import type { LogReader, Position } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import { toAsciiJson } from './json.ts';
import { letterFacts, type LetterFacts, type QueueCounts, type QueueRow } from './queue-rows.ts';
import { readLetter } from './read-letter.ts';
import {
  count,
  formatInstant,
  formatParty,
  formatReply,
  formatSpan,
  formatWhen,
  safe,
} from './words.ts';

/** What to tell: `owing` are the letters that owe a bounce, `aside` those set aside, and why. */
export type QueueToTell = {
  readonly rows: readonly QueueRow[];
  readonly owing: Iterable<string>;
  readonly aside: Iterable<readonly [message: string, why: string]>;
  readonly now: Instant;
};

export type FactsOf = (message: string) => Promise<LetterFacts>;

/** A letter's events up to the snapshot. Neighbours in the list are often of one letter, so a few are kept. */
export function factsReader(log: Pick<LogReader, 'readStream'>, position: Position): FactsOf {
  const kept = new Map<string, LetterFacts>();
  return async (message) => {
    const known = kept.get(message);
    if (known !== undefined) return known;
    const facts = await readFacts(log, message, position);
    kept.set(message, facts);
    for (const oldest of kept.keys()) {
      if (kept.size <= 16) break;
      kept.delete(oldest);
    }
    return facts;
  };
}

/** What was known of a letter at that point. */
export async function readFacts(
  log: Pick<LogReader, 'readStream'>,
  message: MessageId,
  position: Position,
): Promise<LetterFacts> {
  const { events, lost } = await readLetter(log, message);
  const facts = letterFacts(events.filter((event) => event.position <= position));
  return lost.length === 0 ? facts : { ...facts, odd: `revision ${lost[0]} of it cannot be read` };
}

/** One value per recipient, then one per letter that owes a bounce, and per letter set aside; nothing in it depends on the hour of asking. */
export async function* queueJson(
  { rows, owing, aside }: QueueToTell,
  factsOf: FactsOf,
): AsyncGenerator<string> {
  for (const row of rows) yield toAsciiJson(rowJson(row, await factsOf(row.message)));
  for (const message of owing) {
    const { returnPath, birth, settledAt = birth } = await factsOf(message);
    const since = {
      acceptedAt: formatInstant(birth, 'ms'),
      settledAt: formatInstant(settledAt, 'ms'),
    };
    yield toAsciiJson({ message, returnPath, status: 'owes-bounce', ...since });
  }
  for (const [message, why] of aside) yield toAsciiJson({ message, status: 'set-aside', why });
}

/** A row with its letter's facts, as plain JSON. */
export function rowJson(row: QueueRow, facts: LetterFacts) {
  const recipient = facts.recipients[row.rcpt];
  const [channel, ...lane] = row.lane.split(' ');
  const { held } = facts;
  return {
    message: row.message,
    recipient: row.rcpt,
    address: recipient?.address,
    returnPath: facts.returnPath,
    status: row.status,
    dueAt: formatInstant(row.due, 'ms'),
    acceptedAt: formatInstant(facts.birth, 'ms'),
    bytes: facts.bytes,
    channel,
    lane: lane.join(' '),
    attempts: recipient?.tries ?? 0,
    ...(recipient?.startedAt === undefined
      ? {}
      : { startedAt: formatInstant(recipient.startedAt, 'ms') }),
    ...(recipient?.doubtfulAt === undefined
      ? {}
      : { doubtfulAt: formatInstant(recipient.doubtfulAt, 'ms') }),
    ...(recipient?.lastReply === undefined ? {} : { lastReply: recipient.lastReply }),
    ...(facts.odd === undefined ? {} : { setAside: facts.odd }),
    ...(held === undefined
      ? {}
      : {
          held: {
            by: held.by,
            why: held.why,
            at: formatInstant(held.at, 'ms'),
          },
        }),
  };
}

export async function* queueText(
  { rows, owing, aside, now }: QueueToTell,
  factsOf: FactsOf,
): AsyncGenerator<string> {
  let before: string | undefined;
  for (const row of rows) {
    const facts = await factsOf(row.message);
    if (row.message !== before) {
      yield `${row.message}  from ${formatParty(facts.returnPath)}, ${formatSpan(now - facts.birth)} old, ${count(facts.bytes, 'byte')}`;
    }
    if (row.message !== before && facts.odd !== undefined) {
      yield `  SET ASIDE, nothing is attempted: ${safe(facts.odd)}`;
    }
    before = row.message;
    for (const line of rowLines(row, facts, now)) yield `  ${line}`;
  }
  for (const message of owing) {
    const { returnPath, settledAt } = await factsOf(message);
    yield `${message}  owes a bounce to ${formatParty(returnPath)} since ${formatInstant(settledAt ?? now)}`;
  }
  for (const [message, why] of aside) yield `${safe(message, 80)}  is set aside: ${safe(why)}`;
}

function rowLines(row: QueueRow, facts: LetterFacts, now: Instant): string[] {
  const recipient = facts.recipients[row.rcpt];
  const address = formatParty(recipient?.address ?? '');
  const tries = recipient?.tries ?? 0;
  const tried = tries === 0 ? 'not tried yet' : `tried ${tries === 1 ? 'once' : `${tries} times`}`;
  const reply = recipient?.lastReply;
  return [
    `${row.rcpt} ${address} (${safe(row.lane)}): ${stateOf(row, facts, now)}; ${tried}`,
    ...(reply === undefined ? [] : [`    ${formatReply(reply, 300)}`]),
  ];
}

function stateOf(
  { status, due, rcpt }: QueueRow,
  { held, recipients }: LetterFacts,
  now: Instant,
): string {
  if (status === 'held') {
    const why = held === undefined || held.why === '' ? '' : ` (${safe(held.why)})`;
    return held === undefined
      ? 'held'
      : `held since ${formatInstant(held.at)} by ${safe(held.by, 80)}${why}`;
  }
  if (status === 'attempting') {
    const { startedAt, doubtfulAt } = recipients[rcpt] ?? {};
    if (startedAt === undefined) return 'being attempted';
    if (doubtfulAt === undefined) return `being attempted since ${formatInstant(startedAt)}`;
    const when = `at ${formatInstant(doubtfulAt)} at the latest`;
    return `attempted since ${formatInstant(startedAt)} by a node that is gone: in doubt ${when}`;
  }
  return due <= now
    ? `due since ${formatInstant(due)}`
    : `due ${formatInstant(due)} (${formatWhen(due, now)})`;
}

/** `3 letters with 4 recipients in the queue: 1 due now.` */
export function queueSummary({
  letters,
  recipients,
  due,
  held,
  attempting,
  owing,
  aside,
}: QueueCounts): string {
  if (recipients === 0 && owing === 0 && aside === 0) return 'nothing waits.';
  const parts = [
    ...(due > 0 ? [`${due} due now`] : []),
    ...(attempting > 0 ? [`${attempting} being attempted`] : []),
    ...(held > 0 ? [`${held} held`] : []),
    ...(owing > 0 ? [`${count(owing, 'bounce')} owed`] : []),
    ...(aside > 0 ? [`${count(aside, 'letter')} set aside`] : []),
  ];
  const head = `${count(letters, 'letter')} with ${count(recipients, 'recipient')} in the queue`;
  return `${head}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}.`;
}
