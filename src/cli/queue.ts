/** `waybill queue`: what waits, why, until when; now, or as it stood. Reads only, the checkpoint included. */
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import type { Position, RecordedEvent } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import { keepAgenda } from '../queue/agenda-keeper.ts';
import { toAsciiJson } from '../trace/json.ts';
import { pagesOf } from '../trace/pages.ts';
import {
  firstDue,
  letterFacts,
  type LetterFacts,
  type QueueCounts,
  type QueueRow,
} from '../trace/queue-rows.ts';
import { readLetter } from '../trace/read-letter.ts';
import {
  count,
  formatInstant,
  formatParty,
  formatReply,
  formatSpan,
  formatWhen,
  safe,
} from '../trace/words.ts';
import type { Place } from './arguments.ts';
import { engineRuns } from './engine-runs.ts';
import { troubleWords } from './log-trouble.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openOutput, type Output } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';

export type QueueOptions = { readonly at?: Place; readonly limit: number; readonly json?: boolean };

/** An agenda, and the point of the log at which it is true. */
type Snapshot = { readonly agenda: Agenda; readonly position: Position; readonly now: Instant };

export async function queue(places: Places, options: QueueOptions): Promise<void> {
  const output = openOutput();
  await withLog(places.data, async (opened) => {
    const snapshot =
      options.at === undefined ? await snapshotNow(opened) : await snapshotAt(opened, options.at);
    const { rows, counts } = firstDue(snapshot.agenda, snapshot.now, options.limit);
    const facts = factsReader(opened, snapshot.position);
    if (options.json === true) await tellJson(rows, snapshot, facts, output);
    else {
      await tellText(rows, snapshot, facts, output);
      output.line(summary(counts, snapshot, options));
      const trouble = options.at === undefined ? await troubleWords(opened.files) : undefined;
      if (trouble !== undefined) output.line(trouble);
      if (
        options.at === undefined &&
        counts.due > 0 &&
        (await engineRuns(opened.files.directory)) === false
      ) {
        output.line(
          'The engine is not running: nothing is attempted until it does (waybill serve).',
        );
      }
    }
    await output.drained();
    const more = counts.recipients - rows.length;
    if (more > 0) console.error(`waybill: ${more} more recipients wait (see --limit)`);
  });
}

/** From the checkpoint through the tail of the log, as the engine itself starts. */
async function snapshotNow({ log, files }: OpenedLog): Promise<Snapshot> {
  const progress = openProgress('replaying the log');
  const keeper = keepAgenda({
    log,
    file: files.checkpoint,
    onProgress: (position, head) => progress.tell(position, head),
  });
  await new Promise<void>((resolve, reject) => {
    const following = keeper.follow$.subscribe({ error: reject });
    void keeper.caughtUp.then(() => {
      following.unsubscribe();
      resolve();
    });
  });
  progress.end();
  return { agenda: keeper.agenda, position: keeper.position, now: Date.now() };
}

/** Folds from the first event: up to a position (that event included), or before the first event later than a time. */
async function snapshotAt({ log }: OpenedLog, place: Place): Promise<Snapshot> {
  const progress = openProgress('replaying the log');
  const agenda = empty();
  let last: RecordedEvent | undefined;
  const walk = {
    ...('position' in place ? { upTo: Math.min(place.position, await log.head()) } : {}),
    onProgress: (position: Position, upTo: Position) => progress.tell(position, upTo),
  };
  reading: for await (const page of pagesOf(log, walk)) {
    for (const event of page) {
      if ('at' in place && event.at > place.at) break reading;
      fold(agenda, event);
      last = event;
    }
  }
  progress.end();
  const now = 'at' in place ? place.at : (last?.at ?? 0);
  return { agenda, position: last?.position ?? 0, now };
}

type FactsOf = (message: string) => Promise<LetterFacts>;

/** A letter's events up to the snapshot. Neighbours in the list are often of one letter, so a few are kept. */
function factsReader({ log }: OpenedLog, position: Position): FactsOf {
  const kept = new Map<string, LetterFacts>();
  return async (message) => {
    const known = kept.get(message);
    if (known !== undefined) return known;
    const { events } = await readLetter(log, message);
    const facts = letterFacts(events.filter((event) => event.position <= position));
    kept.set(message, facts);
    for (const oldest of kept.keys()) {
      if (kept.size <= 16) break;
      kept.delete(oldest);
    }
    return facts;
  };
}

async function tellJson(
  rows: readonly QueueRow[],
  { agenda }: Snapshot,
  factsOf: FactsOf,
  output: Output,
): Promise<void> {
  for (const row of rows) {
    if (output.gone) return;
    const facts = await factsOf(row.message);
    const recipient = facts.recipients[row.rcpt];
    const [channel, ...lane] = row.lane.split(' ');
    output.line(
      toAsciiJson({
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
        ...(recipient?.lastReply === undefined ? {} : { lastReply: recipient.lastReply }),
        ...(facts.held === undefined
          ? {}
          : {
              held: {
                by: facts.held.by,
                why: facts.held.why,
                at: formatInstant(facts.held.at, 'ms'),
              },
            }),
      }),
    );
  }
  for (const message of agenda.owing) {
    if (output.gone) return;
    const { returnPath, birth, settledAt = birth } = await factsOf(message);
    const since = {
      acceptedAt: formatInstant(birth, 'ms'),
      settledAt: formatInstant(settledAt, 'ms'),
    };
    output.line(toAsciiJson({ message, returnPath, status: 'owes-bounce', ...since }));
  }
}

async function tellText(
  rows: readonly QueueRow[],
  { agenda, now }: Snapshot,
  factsOf: FactsOf,
  output: Output,
): Promise<void> {
  let before: string | undefined;
  for (const row of rows) {
    if (output.gone) return;
    const facts = await factsOf(row.message);
    if (row.message !== before) {
      output.line(
        `${row.message}  from ${formatParty(facts.returnPath)}, ${formatSpan(now - facts.birth)} old, ${count(facts.bytes, 'byte')}`,
      );
    }
    before = row.message;
    for (const line of rowLines(row, facts, now)) output.line(`  ${line}`);
  }
  for (const message of agenda.owing) {
    if (output.gone) return;
    const { returnPath, settledAt } = await factsOf(message);
    output.line(
      `${message}  owes a bounce to ${formatParty(returnPath)} since ${formatInstant(settledAt ?? now)}`,
    );
  }
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
    const startedAt = recipients[rcpt]?.startedAt;
    return startedAt === undefined
      ? 'being attempted'
      : `being attempted since ${formatInstant(startedAt)}`;
  }
  return due <= now
    ? `due since ${formatInstant(due)}`
    : `due ${formatInstant(due)} (${formatWhen(due, now)})`;
}

function summary(counts: QueueCounts, { position, now }: Snapshot, { at }: QueueOptions): string {
  const { letters, recipients, due, held, attempting, owing } = counts;
  const parts = [
    ...(due > 0 ? [`${due} due now`] : []),
    ...(attempting > 0 ? [`${attempting} being attempted`] : []),
    ...(held > 0 ? [`${held} held`] : []),
    ...(owing > 0 ? [`${count(owing, 'bounce')} owed`] : []),
  ];
  const when = at === undefined ? '' : `At ${formatInstant(now, 'ms')}, after event ${position}: `;
  if (recipients === 0 && owing === 0) return `${when}${at === undefined ? 'N' : 'n'}othing waits.`;
  const head = `${count(letters, 'letter')} with ${count(recipients, 'recipient')} in the queue`;
  return `${when}${head}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}.`;
}
