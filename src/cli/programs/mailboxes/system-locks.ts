/** This machine's locks on an mbox. */
import { kernelLock } from '../../../delivery/local/kernel-lock.ts';
import { systemClock as clock } from '../../../platform/clock.ts';
import { systemProcesses } from '../../../platform/system-processes.ts';
import type { LockParts } from './mbox-lock.ts';

export const systemLocks: LockParts = {
  clock,
  kernelLock: kernelLock(systemProcesses({ clock })),
};
