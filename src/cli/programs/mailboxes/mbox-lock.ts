/** An mbox that nobody else writes to for a while: locked against deliveries, procmail and mail readers. */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock, unlock, type LockAnswer } from '../../../delivery/local/dot-lock.ts';
import { systemFiles } from '../../../delivery/local/file-calls.ts';
import type { KernelLock } from '../../../delivery/local/kernel-lock.ts';
import type { Clock, Moment } from '../../../platform/clock.ts';
import { errorWords } from '../../../platform/errno.ts';
import { tryLater } from '../lib/program.ts';

export type LockParts = {
  readonly clock: Clock;
  readonly kernelLock: KernelLock;
};

const limitMs = 30_000;
const againMs = 250;
/** How long we hold a dot-lock while we wait for the kernel's: others may take the two the other way round. */
const kernelLockMs = 5_000;

/** Where no lock can be made the work is done all the same, as qmail does it. An mbox that is not there is made. */
export async function withMboxLock<T>(
  mbox: string,
  parts: LockParts,
  work: () => Promise<T>,
): Promise<T> {
  const until = parts.clock.steady() + limitMs;
  for (;;) {
    const done = await tryOnce(mbox, parts, until, work);
    if (done !== 'busy') return done.value;
    if (parts.clock.steady() >= until) throw timedOut(mbox);
  }
}

async function tryOnce<T>(
  mbox: string,
  { clock, kernelLock }: LockParts,
  until: Moment,
  work: () => Promise<T>,
): Promise<{ readonly value: T } | 'busy'> {
  const dot = await dotLock(mbox, clock, until);
  let fd: number | undefined;
  try {
    fd = openOrMake(mbox);
    const kernel = await kernelLock(fd, kernelLockMs);
    return kernel === 'busy' ? 'busy' : { value: await work() };
  } finally {
    // The kernel's locks end with this.
    if (fd !== undefined) closeSync(fd);
    if (dot === 'locked') unlock(systemFiles, mbox);
  }
}

async function dotLock(mbox: string, clock: Clock, until: Moment): Promise<LockAnswer> {
  for (;;) {
    const answer = tryLock(systemFiles, mbox, clock.now());
    if (answer !== 'busy') return answer;
    if (clock.steady() >= until) throw timedOut(mbox);
    await sleep(againMs);
  }
}

const timedOut = (mbox: string) => tryLater(`unable to lock ${mbox}: timed out`);

function openOrMake(mbox: string): number {
  try {
    return openSync(mbox, 'a', 0o600);
  } catch (cause) {
    throw tryLater(`unable to lock ${mbox}: ${errorWords(cause)}`);
  }
}
