import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ManualClock, systemClock } from '../../src/platform/clock.ts';
import { leftBehind } from '../../src/platform/left-behind.ts';
import { systemProcesses } from '../../src/platform/system-processes.ts';
import { until } from '../support/until.ts';

const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

/** Ends at once and leaves somebody behind. */
async function leave(clock: ManualClock, script: string): Promise<number> {
  const processes = systemProcesses({ clock: systemClock, leftBehind: leftBehind(clock) });
  const { output } = await processes.run({
    ...{ file: '/bin/sh', args: ['-c', `(${script}) & echo $!`] },
    ...{ cwd: '/', env: { PATH: '/usr/bin:/bin' }, timeoutMs: 10_000, maxOutputBytes: 100 },
  });
  return Number(new TextDecoder().decode(output));
}

describe('what a program leaves in the background', () => {
  it('lives as long as the program might have, and is ended then', async () => {
    const clock = new ManualClock(Date.now());
    const pid = await leave(clock, 'sleep 1000');
    clock.advance(5_000);
    expect(isAlive(pid)).toBe(true);
    clock.advance(10_000);
    await until(() => !isAlive(pid), 'its end');
    clock.advance(5_000);
    clock.advance(5_000);
    expect(clock.next()).toBeUndefined();
  });

  it('is made to end when it does not listen', async () => {
    const clock = new ManualClock(Date.now());
    const pid = await leave(clock, "trap '' TERM; while :; do sleep 0.05; done");
    await until(() => {
      clock.advance(5_000);
      return !isAlive(pid);
    }, 'its end');
  });

  it('costs nothing when there is nothing', async () => {
    const clock = new ManualClock();
    await systemProcesses({ clock: systemClock, leftBehind: leftBehind(clock) }).run({
      ...{ file: '/bin/true', args: [], cwd: '/', env: {}, timeoutMs: 1_000, maxOutputBytes: 0 },
    });
    expect(clock.next()).toBeUndefined();
  });
});
