/** The file of one consumer: the last event that it has handled, and enough of it to know its log again. */
import { z } from 'zod';
import { eventAt, mayBeGone, stillThere } from '../log/known-event.ts';
import type { LogReader, Position } from '../log/ports.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { readIfThere } from '../platform/read-if-there.ts';
import { replaceFile } from '../platform/replace-file.ts';
import type { Instant } from '../platform/clock.ts';

const format = 'waybill consumer 1';

const schema = z.object({
  format: z.literal(format),
  /** Everything up to here is handled. */
  position: z.number().int().min(0),
  /** Of the event there; absent at the log's start, and where that event is damaged. */
  event: z.object({ stream: z.string(), revision: z.number(), at: z.number() }).optional(),
  /** When it was handled. */
  savedAt: z.number(),
});

export type Checkpoint = z.infer<typeof schema>;

type Log = Pick<LogReader, 'readAll' | 'readStream' | 'head'>;

/** `undefined` where there is none yet. Throws `refused` for a file that is no checkpoint of this release. */
export function readCheckpoint(file: string): Checkpoint | undefined {
  const bytes = readIfThere(file);
  if (bytes === undefined) return undefined;
  const read = schema.safeParse(parse(bytes.toString('utf8')));
  if (read.success) return read.data;
  throw refused(`${file} is not a consumer's checkpoint, or one of a newer release`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Where this log has the event that was handled last: at the position, or elsewhere in a log that was moved
 * (`waybill log copy`), whose order is the same. Throws `refused` when it is nowhere: the log is another, or
 * an older copy was put back.
 */
export async function placeIn(
  { position, event }: Checkpoint,
  log: Log,
  file: string,
): Promise<Position> {
  const there = event === undefined ? undefined : await placeOf(log, event);
  if (there !== undefined) return there;
  const isSame =
    position <= (await log.head()) &&
    (event === undefined || (await stillThere(log, { position, ...event })));
  if (isSame) return position;
  throw refused(
    `${file} says that event ${position} was the last one handled, but this log has another one there, or none: ` +
      'it is of another log, or the log is an older copy. To begin again: waybill consumers forget',
  );
}

/** By its stream and revision, which go with it wherever the log is moved. */
async function placeOf(
  log: Log,
  { stream, revision, at }: NonNullable<Checkpoint['event']>,
): Promise<Position | undefined> {
  const found = await readSound(log, stream, { from: revision, limit: 1 });
  if (found[0]?.revision === revision && found[0].at === at) return found[0].position;
  if (!mayBeGone(stream)) return undefined;
  // Counted anew by a move. Rather one too early: an event may be heard twice.
  const left = await readSound(log, stream);
  return left.findLast((event) => event.at <= at)?.position;
}

async function readSound(log: Log, ...asked: Parameters<Log['readStream']>) {
  try {
    return await log.readStream(...asked);
  } catch (cause) {
    if (isTrouble(cause, 'log-damaged')) return [];
    throw cause;
  }
}

/** When it returns, the position is on disk. */
export async function writeCheckpoint(
  file: string,
  log: Log,
  position: Position,
  savedAt: Instant,
): Promise<void> {
  const there = await eventAt(log, position);
  const checkpoint: Checkpoint = {
    ...{ format, position, savedAt },
    ...(there === undefined
      ? {}
      : { event: { stream: there.stream, revision: there.revision, at: there.at } }),
  };
  replaceFile({
    ...{ target: file, temporary: `${file}.new`, mode: 0o600 },
    pieces: [Buffer.from(`${JSON.stringify(checkpoint)}\n`)],
  });
}

export const refused = (detail: string): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
