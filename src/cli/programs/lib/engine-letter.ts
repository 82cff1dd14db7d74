/**
 * One letter handed to the engine, over `run/inject.sock` of its data directory; what qmail-queue does.
 * Answers in qmail-queue's exit codes. Small letters wait here until their envelope is known, so that
 * a slow writer keeps nobody busy, and an engine that is just starting anew can be waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueEnvelope } from '../../../ingress/inject/queue-envelope.ts';
import { exitOf } from './queue-trouble.ts';
import { callEngine, type EngineCall } from './engine-call.ts';
import type { Places } from './places.ts';

export type LetterParts = {
  readonly places: Places;
  /** Who the caller says it is. */
  readonly user: string;
  /** How long to wait for an engine that is away or busy. */
  readonly patienceMs: number;
};

export type EngineLetter = {
  /** Never rejects. */
  write(bytes: Uint8Array): Promise<void>;
  /** qmail-queue's exit code; 0 when event and body are forced to disk. */
  finish(envelope: QueueEnvelope): Promise<number>;
};

/** So much is held before the engine is called; and no more than that goes at once. */
const heldBytes = 256 * 1024;

const pauseMs = 100;

/** Longest address, in bytes. */
const addressBytes = 1_002;

export function engineLetter({ places, user, patienceMs }: LetterParts): EngineLetter {
  let held: Uint8Array[] = [];
  let size = 0;
  let call: EngineCall | undefined;
  let failed: number | undefined;

  const open = () => patiently(() => callEngine(places, user), patienceMs);
  const fail = async (cause: unknown): Promise<void> => {
    failed ??= exitOf(cause);
    held = [];
    await call?.close();
  };
  return {
    async write(bytes) {
      if (failed !== undefined) return;
      try {
        if (call === undefined && size + bytes.byteLength <= heldBytes) {
          held.push(Uint8Array.from(bytes));
          size += bytes.byteLength;
          return;
        }
        call ??= await open();
        for (const part of [...held.splice(0), bytes]) await call.write(part);
      } catch (cause) {
        await fail(cause);
      }
    },
    async finish({ sender, recipients }) {
      if ([sender, ...recipients].some(isTooLong)) failed ??= 11;
      if (failed !== undefined) {
        await call?.close();
        return failed;
      }
      const last = Buffer.concat(held);
      try {
        if (call !== undefined) await call.accept({ sender, recipients }, last);
        else {
          call = await patiently(() => callFor(recipients, places, user), patienceMs);
          await call.accept({ sender, recipients: [] }, last);
        }
        return 0;
      } catch (cause) {
        return exitOf(cause);
      } finally {
        await call?.close();
      }
    },
  };
}

/** A call that knows its recipients. Until `accept` is sent nothing has happened, and it can begin anew. */
async function callFor(
  recipients: readonly string[],
  places: Places,
  user: string,
): Promise<EngineCall> {
  const call = await callEngine(places, user);
  try {
    await call.to(recipients);
    return call;
  } catch (cause) {
    await call.close();
    throw cause;
  }
}

const isTooLong = (address: string): boolean =>
  address.length > addressBytes / 3 && Buffer.byteLength(address) > addressBytes;

/** Again and again while the engine is away or busy. */
async function patiently<T>(work: () => Promise<T>, patienceMs: number): Promise<T> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      const exit = exitOf(cause);
      if (![71, 73, 74].includes(exit) || performance.now() > until) throw cause;
    }
    await sleep(pauseMs);
  }
}
