/** `waybill queue`: what waits, why, until when; now, or as it stood. Reads only, the checkpoint included. */
import { join } from 'node:path';
import { openPast } from '../past/past-queue.ts';
import { historyFolder, type Snapshot } from '../past/ports.ts';
import { factsReader, queueJson, queueSummary, queueText } from '../trace/queue-lines.ts';
import { firstDue, type QueueCounts } from '../trace/queue-rows.ts';
import { formatInstant, safe } from '../trace/words.ts';
import type { Place } from './arguments.ts';
import { droppedWords } from './dropped.ts';
import { engineRuns } from './engine-runs.ts';
import { troubleWords } from './log-trouble.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openWords, type Output } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';
import { agendaNow } from './queue-now.ts';

export type QueueOptions = { readonly at?: Place; readonly limit: number; readonly json?: boolean };

export async function queue(places: Places, options: QueueOptions): Promise<void> {
  const output = openWords(options.json);
  await withLog(places, async (opened) => {
    const { at, limit, json = false } = options;
    const snapshot = at === undefined ? await snapshotNow(opened) : await snapshotAt(opened, at);
    const { agenda, now, position } = snapshot;
    const { rows, counts } = firstDue(agenda, now, limit);
    const factsOf = factsReader(opened.log, position);
    const { owing, aside } = agenda;
    const lines = (json ? queueJson : queueText)({ rows, owing, aside, now }, factsOf);
    for await (const line of lines) {
      if (output.gone) break;
      output.line(line);
    }
    if (!json) await tellEnd(opened, counts, at === undefined ? undefined : snapshot, output);
    await output.drained();
    const more = counts.recipients - rows.length;
    if (more > 0) console.error(`waybill: ${more} more recipients wait (see --limit)`);
  });
}

async function tellEnd(
  { files }: OpenedLog,
  counts: QueueCounts,
  past: Snapshot | undefined,
  output: Output,
): Promise<void> {
  const summary = queueSummary(counts);
  if (past !== undefined) {
    output.line(`At ${formatInstant(past.now, 'ms')}, after event ${past.position}: ${summary}`);
    return;
  }
  output.line(`${summary[0]!.toUpperCase()}${summary.slice(1)}`);
  const dropped = droppedWords(files);
  if (dropped !== undefined) output.line(dropped);
  const trouble = await troubleWords(files);
  if (trouble !== undefined) output.line(trouble);
  if (counts.due > 0 && (await engineRuns(files.directory)) === false) {
    output.line('The engine is not running: nothing is attempted until it does (waybill serve).');
  }
}

async function snapshotNow({ log, files, unit }: OpenedLog): Promise<Snapshot> {
  const progress = openProgress('replaying the log');
  const { agenda, position } = await agendaNow({
    ...{ log, checkpoint: files.checkpoint, marks: join(files.directory, historyFolder) },
    onProgress: (done, of) => progress.tell(done, of, unit),
  });
  progress.end();
  return { agenda, position, now: Date.now() };
}

/** From the nearest mark of the past, or the first event: see `src/past/`. */
async function snapshotAt({ log, files, unit }: OpenedLog, place: Place): Promise<Snapshot> {
  const progress = openProgress('replaying the log');
  const past = openPast({
    ...{ log, directory: join(files.directory, historyFolder) },
    onTrouble: (words) => console.error(`waybill: ${safe(words, 600)}`),
    onProgress: (done, of) => progress.tell(done, of, unit),
  });
  const snapshot = await past.agendaAt(place);
  progress.end();
  return snapshot;
}
