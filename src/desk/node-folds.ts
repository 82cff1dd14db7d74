/**
 * Leases, owners and the streams of starts as folded so far, with their checkpoint: two files, of which that of
 * the streams is written first. Knowing more streams than the ledger does no harm; fewer, and both are made again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConsumerParts } from '../log/consumer.ts';
import { mayBeGone } from '../log/known-event.ts';
import { logStart, type Position, type RecordedEvent, type StreamName } from '../log/ports.ts';
import { Ledger } from '../nodes/ledger.ts';
import { errnoOf } from '../platform/errno.ts';
import { replaceFile } from '../platform/replace-file.ts';
import type { NodeEvents } from './node-events.ts';

const ledgerFile = 'nodes';
const streamsFile = 'node-streams';

/** Events between two checkpoints. */
const saveEvery = 200_000;

export type NodeFolds = {
  readonly ledger: Ledger;
  readonly position: Position;
  take(page: readonly RecordedEvent[]): void;
  /** Writes a checkpoint where anything has come. */
  save(): void;
};

/** From the checkpoint where there is a sound one, else from the first event. */
export async function openFolds(
  { log, directory, logger }: ConsumerParts,
  events: NodeEvents,
): Promise<NodeFolds> {
  const files = { ledger: join(directory, ledgerFile), streams: join(directory, streamsFile) };
  const ledger = await restored(log, files, events, (why) =>
    logger.warn({ why }, 'the nodes are read again'),
  );
  let last: RecordedEvent | undefined;
  let unsaved = 0;
  const folds: NodeFolds = {
    ledger,
    get position() {
      return ledger.position;
    },
    take(page) {
      for (const event of page) {
        ledger.hear({ kind: 'event', event });
        events.hear(event);
      }
      last = page.findLast(({ stream }) => !mayBeGone(stream)) ?? last;
      unsaved += page.length;
      if (unsaved >= saveEvery) folds.save();
    },
    save() {
      if (last === undefined) return;
      const { position, stream, revision, at } = last;
      const streams: Streams = { position, streams: events.streams() };
      write(files.streams, [Buffer.from(`${JSON.stringify(streams)}\n`)]);
      write(files.ledger, ledger.checkpoint({ position, stream, revision, at }));
      [last, unsaved] = [undefined, 0];
    },
  };
  return folds;
}

type Files = { readonly ledger: string; readonly streams: string };

async function restored(
  log: ConsumerParts['log'],
  files: Files,
  events: NodeEvents,
  onThrownAway: (why: string) => void,
): Promise<Ledger> {
  const parts = { log, file: files.ledger, onThrownAway };
  const known = readStreams(files.streams);
  const ledger = new Ledger(parts);
  const position = await ledger.restore();
  if (known === undefined || known.position < position) return new Ledger(parts);
  events.add(known.streams);
  return ledger;
}

type Streams = { readonly position: Position; readonly streams: readonly StreamName[] };

/** `undefined`: there are none, or they are no such file. */
function readStreams(file: string): Streams | undefined {
  try {
    const { position, streams } = JSON.parse(readFileSync(file, 'utf8')) as Streams;
    const isSound = Number.isSafeInteger(position) && Array.isArray(streams);
    return isSound && position > logStart ? { position, streams } : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError || errnoOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

const write = (target: string, pieces: readonly Uint8Array[]): void =>
  replaceFile({ target, temporary: `${target}.new`, pieces, mode: 0o600 });
