/**
 * The outside of a cage: starts its process, passes orders in, and ends it when it says nothing for too long
 * or takes too much memory. Whatever happens to the process, every order gets an answer or a `CageDied`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { extname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Position } from '../../log/ports.ts';
import type { Parked } from '../ports.ts';
import { Frames, toFrame, tooMuch } from './frames.ts';
import type { Limits, News, Reply } from './orders.ts';
import { relayPrinted, type Printed } from './printed.ts';

/** The process is gone; `message` says why, for a person. */
export class CageDied extends Error {
  override readonly name = 'CageDied';
  /** What its last words told. */
  readonly last: { readonly event?: Parked['event']; readonly position?: Position };
  readonly isMemory: boolean;

  constructor(why: string, last: CageDied['last'] = {}, isMemory = false) {
    super(why);
    [this.last, this.isMemory] = [last, isMemory];
  }
}

export type CageProcess = {
  /**
   * `order`: JSON. Orders are answered one after the other, in order. Rejects with `CageDied` when there is
   * no sign of life for so many milliseconds, and for ever after.
   */
  say(order: string, patienceMs: number): Promise<Reply>;
  close(): void;
};

export type CageOptions = Limits & {
  /** Told what its code prints, a line each; cut short where it is too much. */
  readonly onPrinted?: (line: string) => void;
  /** What it may take beside its heap: code, and bytes that are in no heap; default 512 MiB. */
  readonly besidesMiB?: number;
  /** Gives way to others; default true. */
  readonly low?: boolean;
};

const caged = fileURLToPath(new URL(`./caged${extname(import.meta.url)}`, import.meta.url));

const tickMs = 250;

export function startCage(options: CageOptions): CageProcess {
  const { heapMiB, besidesMiB = 512, low = true, onPrinted = () => undefined } = options;
  const child = spawnCaged(options);
  const frames = new Frames();
  const waiting: Waiting[] = [];
  let died: CageDied | undefined;
  let last: Extract<News, { kind: 'ended' }> | undefined;
  let quietMs = 0;

  const end = (why: CageDied): void => {
    died ??= why;
    clearInterval(watch);
    child.kill('SIGKILL');
    for (const pipe of child.stdio) pipe?.destroy();
    for (const { reject } of waiting.splice(0)) reject(died);
  };
  const hear = (words: Reply | News): void => {
    quietMs = 0;
    if (words.kind === 'ended') last = words;
    else if (words.kind !== 'alive') waiting.shift()?.resolve(words);
  };
  const watch = setInterval(() => {
    if (memoryOf(child) > heapMiB + besidesMiB) return end(tooLarge(heapMiB));
    // A machine that slept wakes up to one tick, not to all that were missed.
    quietMs = waiting.length === 0 ? 0 : quietMs + tickMs;
    const patienceMs = waiting[0]?.patienceMs ?? Infinity;
    if (quietMs > patienceMs)
      end(new CageDied(`it gave no sign of life for ${patienceMs / 1_000} s`));
  }, tickMs);

  const printed = relayPrinted(child, onPrinted);
  const [orders, answers] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  // Its end is told by `close`, and that says more.
  orders.on('error', () => undefined);
  answers.on('error', () => undefined);
  answers.on('data', (piece: Buffer) => {
    try {
      for (const text of frames.take(piece)) hear(JSON.parse(text) as Reply | News);
    } catch (cause) {
      const wrote = 'it wrote into the pipe that its answers come through';
      end(new CageDied(cause instanceof RangeError ? `${tooMuch}, or ${wrote}` : wrote));
    }
  });
  child.on('error', (cause) =>
    end(new CageDied(`its process could not be started: ${cause.message}`)),
  );
  child.on('close', (code, signal) => end(deathOf(code, signal, last, printed, heapMiB)));
  if (low) giveWay(child);

  return {
    say(order, patienceMs) {
      if (died !== undefined) return Promise.reject(died);
      orders.write(toFrame(order));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject, patienceMs }));
    },
    close: () => end(new CageDied('it was closed')),
  };
}

type Waiting = {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (cause: CageDied) => void;
  readonly patienceMs: number;
};

/** No environment, no descriptor but its two pipes; node keeps it from writing files and starting programs. */
function spawnCaged({ loadMs, callMs, answerMs, heapMiB }: Limits): ChildProcess {
  const limits: Limits = { loadMs, callMs, answerMs, heapMiB };
  const flags = [
    ...['--permission', '--allow-fs-read=*', `--max-old-space-size=${heapMiB}`],
    '--disable-warning=ExperimentalWarning',
  ];
  return spawn(process.execPath, [...flags, caged, JSON.stringify(limits)], {
    ...{ env: {}, cwd: '/', serialization: 'json' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
}

function giveWay({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It ended already.
  }
}

const tooLarge = (heapMiB: number, last?: CageDied['last']): CageDied =>
  new CageDied(`it needs more than ${heapMiB} MiB of memory`, last, true);

function deathOf(
  code: number | null,
  signal: string | null,
  last: Extract<News, { kind: 'ended' }> | undefined,
  { isOutOfMemory }: Printed,
  heapMiB: number,
): CageDied {
  if (isOutOfMemory) return tooLarge(heapMiB);
  if (last !== undefined) return new CageDied(last.why, last);
  if (signal !== null) return new CageDied(`its process was ended by ${signal}`);
  return new CageDied(`its process ended by itself, with exit code ${code}`);
}

/** MiB that belong to it alone; 0 where nobody tells. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
