/**
 * `waybill consumers`: who reads the log with a checkpoint, and how far behind each is; and forgets one. A file that
 * cannot be used is named among the others, and the exit code is 100.
 */
import { join } from 'node:path';
import { placeIn, readCheckpoint } from '../consumers/checkpoint.ts';
import { forgetConsumer, isHeld } from '../consumers/consumer.ts';
import { consumerFile, consumerNames, consumersFolder } from '../consumers/names.ts';
import type { Position } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import { toAsciiJson } from '../trace/json.ts';
import { count, formatInstant, formatSpan, safe } from '../trace/words.ts';
import { exitNever } from './exit-codes.ts';
import { withLog } from './open-log.ts';
import { openWords } from './output.ts';
import { dataFiles, type Places } from './places.ts';

/** `behind`: events of the log that it has not handled; the embedded log's positions are dense. */
type Standing = {
  readonly name: string;
  readonly position: Position;
  readonly behind: number;
  readonly eventAt: number | undefined;
  readonly savedAt: number;
  /** Absent where we may not ask. */
  readonly held: boolean | undefined;
};

/** A consumer whose file tells nothing. */
type Damaged = { readonly name: string; readonly trouble: string };

export async function listConsumers(
  places: Places,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const output = openWords(json);
  await withLog(places, async ({ log, files }) => {
    const directory = join(files.directory, consumersFolder);
    const head = await log.head();
    const names = consumerNames(directory);
    const all: (Standing | Damaged)[] = [];
    for (const name of names) all.push(...(await standingOf(directory, name, head, log)));
    for (const each of all) output.line(json ? jsonOf(each) : textOf(each));
    const damaged = all.filter((each) => 'trouble' in each).length;
    if (damaged > 0) {
      console.error(`waybill: ${damaged} of ${count(names.length, 'consumer')} cannot be read`);
      process.exitCode = exitNever;
    }
    if (names.length === 0 && !json) output.line('There are no consumers.');
    await output.drained();
  });
}

export async function forget(places: Places, name: string): Promise<void> {
  forgetConsumer(join(dataFiles(places.data).directory, consumersFolder), name);
}

async function standingOf(
  directory: string,
  name: string,
  head: Position,
  log: Parameters<typeof placeIn>[1],
): Promise<readonly (Standing | Damaged)[]> {
  try {
    const file = consumerFile(directory, name);
    const checkpoint = readCheckpoint(file);
    // Forgotten since the folder was looked at.
    if (checkpoint === undefined) return [];
    const { position: kept, event, savedAt } = checkpoint;
    // Where it stands in this log; of another log, as it stands in the file.
    const position = await placeIn(checkpoint, log, file).catch((cause: unknown) => {
      if (isTrouble(cause, 'refused')) return kept;
      throw cause;
    });
    const held = isHeld(directory, name);
    return [{ name, position, behind: head - position, eventAt: event?.at, savedAt, held }];
  } catch (cause) {
    return [{ name, trouble: cause instanceof Error ? cause.message : String(cause) }];
  }
}

const textOf = (each: Standing | Damaged): string =>
  'trouble' in each ? `${each.name}  ${safe(each.trouble, 600)}` : standingText(each);

const jsonOf = (each: Standing | Damaged): string =>
  'trouble' in each ? toAsciiJson(each) : standingJson(each);

function standingText({ name, position, behind, eventAt, savedAt, held }: Standing): string {
  const place =
    eventAt === undefined
      ? `at event ${position}`
      : `at event ${position} of ${formatInstant(eventAt)}`;
  const distance =
    behind < 0
      ? 'of another log: beyond the end of this one'
      : behind === 0
        ? 'has handled all'
        : `${count(behind, 'event')} behind`;
  const since = `moved ${formatSpan(Math.max(0, Date.now() - savedAt))} ago`;
  const user = held === true ? 'running' : held === false ? 'not running' : 'may be running';
  return `${name}  ${place}, ${distance}, ${since}, ${user}`;
}

const standingJson = ({ eventAt, savedAt, ...standing }: Standing): string =>
  toAsciiJson({
    ...standing,
    ...(eventAt === undefined ? {} : { eventAt: formatInstant(eventAt, 'ms') }),
    savedAt: formatInstant(savedAt, 'ms'),
  });
