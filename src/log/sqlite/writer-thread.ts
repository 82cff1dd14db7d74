/** What the writer's thread runs (`threaded-hand.ts` starts it): one message, one answer, in order. */
import { parentPort } from 'node:worker_threads';
import { packResult, packTrouble, unpackBatch, type BatchParcel } from './parcels.ts';
import { toTrouble } from './sqlite-trouble.ts';
import { LogWriter } from './writer.ts';
import type { FromThread, ThreadData, ToThread } from './threaded-hand.ts';

const port = parentPort!;
const say = (message: FromThread): void => port.postMessage(message);

let data: ThreadData | undefined;
let writer: LogWriter | undefined;

/** Opened when first needed: a file that cannot be opened is an answer, not the end of the thread. */
const opened = (): LogWriter =>
  (writer ??= new LogWriter(data!.file, {
    maxBytes: data!.maxBytes,
    onDamage: (damage) => say({ kind: 'damage', damage }),
  }));

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'open':
      data = message.data;
      return;
    case 'commit':
      say({ kind: 'committed', result: commit(message.batch) });
      break;
    case 'remove':
      say(remove(message.streams));
      break;
    case 'close':
      writer?.close();
      say({ kind: 'closed' });
      port.close();
      return;
  }
  // After the answer: nobody waits for this.
  writer?.tidy();
});

say({ kind: 'loaded' });

function commit(parcel: BatchParcel) {
  const batch = unpackBatch(parcel);
  try {
    return packResult(opened().commit(batch));
  } catch (cause) {
    const trouble = toTrouble(cause);
    return packResult({ answers: batch.map(() => trouble), head: undefined, broken: undefined });
  }
}

function remove(streams: readonly string[]): FromThread {
  try {
    return { kind: 'removed', others: opened().removeBodies(streams) };
  } catch (cause) {
    return { kind: 'not-removed', trouble: packTrouble(toTrouble(cause)) };
  }
}
