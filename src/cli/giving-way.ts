/**
 * How a command that reads much gives way to the mail. It runs at the lowest priority; and since that counts
 * for little where the engine lives in another control group or session, it also rests between two pieces of
 * work when the machine has nothing to spare, so that it takes no more than its share of a processor.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';

export type GivingWay = {
  /** Between two pieces of work, each of some milliseconds; `besidesMs`: what another process worked for it. */
  rest(besidesMs?: number): Promise<void>;
};

/** Milliseconds, each from any origin. */
export type Times = {
  /** What this thread has had of the processor, and how long it waited for it. */
  readonly ran: number;
  readonly waited: number;
  /** What nobody but programs of low priority wanted, of all processors together. */
  readonly free: number;
  readonly at: number;
};

/** For a follower, which stays for days: ten of them are a twenty-fifth of a processor. */
export const shareOfFollower = 0.004;

/** For a walk through the log that somebody waits for. */
export const shareOfReading = 0.02;

const longestRestMs = 1_000;

/**
 * With less to spare, others are kept from working: half the machine, and on a large one a processor and a
 * half. Mail that waits for the disk leaves a quarter free, and a reader who takes that costs it a seventh.
 */
const spareProcessors = Math.min(1.5, availableParallelism() / 2);

/** The kernel counts in hundredths of a second: nothing is learnt in less than some of them. */
const lookMs = 100;

/** How long to rest, milliseconds, after what lies between two readings. */
export function restBetween(before: Times, now: Times, share: number, besidesMs = 0): number {
  const ran = now.ran - before.ran;
  const isKeptWaiting = now.waited - before.waited >= ran / 2;
  const elapsed = now.at - before.at;
  const isScarce = elapsed >= lookMs && now.free - before.free < spareProcessors * elapsed;
  if (!isKeptWaiting && !isScarce) return 0;
  return Math.min(longestRestMs, (ran + besidesMs) * (1 / share - 1));
}

/** `share`: of one processor, in the long run, while others want it; 1 gives no way at all. */
export function giveWay(share: number): GivingWay {
  if (share >= 1) return { rest: async () => undefined };
  lowerPriority();
  let before = timesNow();
  let besides = 0;
  return {
    async rest(besidesMs = 0) {
      const now = timesNow();
      if (before === undefined || now === undefined) return;
      besides += besidesMs;
      const ms = restBetween(before, now, share, besides);
      if (ms >= 1) await new Promise((resolve) => setTimeout(resolve, ms));
      // The time of a rest says most about whether there is something to spare; waking up again is no waiting.
      else if (now.at - before.at < lookMs) return;
      besides = 0;
      before = ms >= 1 ? { ...now, waited: timesNow()?.waited ?? now.waited } : now;
    },
  };
}

/** Each thread has a priority of its own; those started later get the one of their starter. */
function lowerPriority(): void {
  for (const thread of threads()) {
    try {
      setPriority(thread, constants.priority.PRIORITY_LOW);
    } catch {
      // It ended meanwhile, or we are lower already.
    }
  }
}

function threads(): readonly number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    // Not Linux: the process as a whole.
    return [0];
  }
}

/** Absent where the kernel does not tell; all the reading is done in the main thread. */
function timesNow(): Times | undefined {
  try {
    const [ran, waited] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ');
    const all = /^cpu +\d+ (\d+) \d+ (\d+) (\d+)/.exec(readFileSync('/proc/stat', 'latin1'))!;
    const free = (Number(all[1]) + Number(all[2]) + Number(all[3])) * 10;
    return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6, free, at: performance.now() };
  } catch {
    return undefined;
  }
}
