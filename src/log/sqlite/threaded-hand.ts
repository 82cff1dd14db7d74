/**
 * The writing hand in a thread of its own: while it waits for the disk, the queue goes on reading its
 * links and deciding. A letter's body is copied once on the way, its words once.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Damage, StreamName } from '../ports.ts';
import type { Hand } from './hand.ts';
import {
  packBatch,
  unpackResult,
  unpackTrouble,
  type BatchParcel,
  type ResultParcel,
  type TroubleParcel,
} from './parcels.ts';
import { unavailable } from './sqlite-trouble.ts';
import type { BatchResult, WriterOptions } from './writer.ts';

export type ThreadData = { readonly file: string; readonly maxBytes: number | undefined };

export type ToThread =
  | { readonly kind: 'open'; readonly data: ThreadData }
  | { readonly kind: 'commit'; readonly batch: BatchParcel }
  | { readonly kind: 'remove'; readonly streams: readonly StreamName[] }
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'committed'; readonly result: ResultParcel }
  | { readonly kind: 'removed'; readonly others: readonly StreamName[] }
  | { readonly kind: 'not-removed'; readonly trouble: TroubleParcel }
  | { readonly kind: 'damage'; readonly damage: Damage }
  | { readonly kind: 'closed' };

type Removal = {
  resolve(others: readonly StreamName[]): void;
  reject(cause: unknown): void;
};

/** `.ts` in a clone, `.js` once built. */
const threadFile = ['./writer-thread.ts', './writer-thread.js']
  .map((name) => fileURLToPath(new URL(name, import.meta.url)))
  .find((path) => existsSync(path))!;

/** Started by `loadThread`, until a log takes it. */
let ahead: Worker | undefined;

/**
 * Starts the thread before there is a log for it, and resolves when its code is loaded: that may lie
 * where this process, once it has given root's rights up, cannot read.
 */
export async function loadThread(): Promise<void> {
  ahead = startThread();
  await once(ahead, 'message');
}

const startThread = (): Worker =>
  // Batches are garbage a moment later, and little else lives here.
  new Worker(threadFile, { resourceLimits: { maxYoungGenerationSizeMb: 8 } });

/** The log at `file` has been made and looked at; what the thread finds wrong with it later, its answers say. */
export function threadedHand(file: string, { maxBytes, onDamage }: WriterOptions): Hand {
  const worker = ahead ?? startThread();
  ahead = undefined;
  let committed: ((result: BatchResult) => void) | undefined;
  const removals: Removal[] = [];
  let closed: (() => void) | undefined;

  // An `error` event (a bug, or no memory) is left to crash the process: the next one replays.
  worker.on('message', (message: FromThread) => {
    switch (message.kind) {
      case 'loaded':
        break;
      case 'committed': {
        const done = committed;
        committed = undefined;
        done?.(unpackResult(message.result));
        break;
      }
      case 'removed':
        removals.shift()?.resolve(message.others);
        break;
      case 'not-removed':
        removals.shift()?.reject(unpackTrouble(message.trouble));
        break;
      case 'damage':
        onDamage?.(message.damage);
        break;
      case 'closed':
        closed?.();
        break;
    }
  });
  const say = (message: ToThread, transfer: ArrayBuffer[] = []): void =>
    worker.postMessage(message, transfer);
  say({ kind: 'open', data: { file, maxBytes } });
  let isClosing = false;
  return {
    commit(batch, done) {
      committed = done;
      const parcel = packBatch(batch);
      say({ kind: 'commit', batch: parcel }, [parcel.bodies.buffer]);
    },
    removeBodies(streams) {
      if (isClosing) return Promise.reject(unavailable('the log is closed'));
      return new Promise((resolve, reject) => {
        removals.push({ resolve, reject });
        say({ kind: 'remove', streams });
      });
    },
    async close() {
      isClosing = true;
      const ended = new Promise<void>((resolve) => (closed = resolve));
      say({ kind: 'close' });
      await ended;
      await worker.terminate();
    },
  };
}
