/** `waybill consumers`: who reads the log with a checkpoint, and how far behind each is; and forgets one. */
import { join } from 'node:path';
import { readCheckpoint } from '../consumers/checkpoint.ts';
import { forgetConsumer, isHeld } from '../consumers/consumer.ts';
import { consumerFile, consumerNames, consumersFolder } from '../consumers/names.ts';
import type { Position } from '../log/ports.ts';
import { toAsciiJson } from '../trace/json.ts';
import { count, formatInstant, formatSpan } from '../trace/words.ts';
import { withLog } from './open-log.ts';
import { openOutput } from './output.ts';
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

export async function listConsumers(
  places: Places,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const output = openOutput();
  await withLog(places, async ({ log, files }) => {
    const directory = join(files.directory, consumersFolder);
    const head = await log.head();
    const names = consumerNames(directory);
    for (const name of names) {
      const standing = standingOf(directory, name, head);
      if (standing !== undefined) output.line(json ? jsonOf(standing) : textOf(standing));
    }
    if (names.length === 0 && !json) output.line('There are no consumers.');
    await output.drained();
  });
}

export async function forget(places: Places, name: string): Promise<void> {
  forgetConsumer(join(dataFiles(places.data).directory, consumersFolder), name);
}

function standingOf(directory: string, name: string, head: Position): Standing | undefined {
  try {
    const checkpoint = readCheckpoint(consumerFile(directory, name));
    // Forgotten since the folder was looked at.
    if (checkpoint === undefined) return undefined;
    const { position, event, savedAt } = checkpoint;
    const held = isHeld(directory, name);
    return { name, position, behind: head - position, eventAt: event?.at, savedAt, held };
  } catch (cause) {
    console.error(`waybill: ${cause instanceof Error ? cause.message : String(cause)}`);
    process.exitCode = 100;
    return undefined;
  }
}

function textOf({ name, position, behind, eventAt, savedAt, held }: Standing): string {
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

const jsonOf = ({ eventAt, savedAt, ...standing }: Standing): string =>
  toAsciiJson({
    ...standing,
    ...(eventAt === undefined ? {} : { eventAt: formatInstant(eventAt, 'ms') }),
    savedAt: formatInstant(savedAt, 'ms'),
  });
