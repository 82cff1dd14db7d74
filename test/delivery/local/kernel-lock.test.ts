/** Locks against programs that nobody here wrote: what python's fcntl and util-linux's flock meet. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { kernelLock } from '../../../src/delivery/local/kernel-lock.ts';
import { ManualClock, systemClock } from '../../../src/platform/clock.ts';
import type { Command, Processes } from '../../../src/platform/processes.ts';
import { exited, scriptedProcesses } from '../../../src/platform/scripted-processes.ts';
import { systemProcesses } from '../../../src/platform/system-processes.ts';
import { Home, post } from './story.ts';

const has = (program: string) => spawnSync('which', [program]).status === 0;
const withPerl = has('perl') && has('python3') && has('flock') ? it : it.skip;
const withFlock = has('flock') ? it : it.skip;

let home: Home;
let mbox: string;
let open: number[];
const others: ChildProcess[] = [];
beforeEach(() => {
  home = new Home().write('mbox', '');
  mbox = join(home.path, 'mbox');
  open = [];
});
afterEach(() => {
  for (const fd of open) closeSync(fd);
  for (const other of others.splice(0)) other.kill('SIGKILL');
  home.remove();
});

const system = systemProcesses({ clock: systemClock });

/** As a machine without some programs. */
const without = (...missing: readonly string[]): Processes => ({
  async run(command: Command) {
    if (missing.includes(command.file)) throw Object.assign(new Error(), { code: 'ENOENT' });
    return system.run(command);
  },
});

const openMbox = (): number => {
  const fd = openSync(mbox, constants.O_WRONLY | constants.O_APPEND);
  open.push(fd);
  return fd;
};

const tryFcntl = `
import fcntl, sys
with open(sys.argv[1], 'r+') as f:
    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
`;
const isFree = {
  fcntl: () => spawnSync('python3', ['-c', tryFcntl, mbox]).status === 0,
  flock: () => spawnSync('flock', ['-n', mbox, 'true']).status === 0,
};

/** Another program that holds the file's lock until it is killed. */
async function holder(kind: 'lockf' | 'flock'): Promise<ChildProcess> {
  const script = `
import fcntl, sys, time
f = open(sys.argv[1], 'r+')
fcntl.${kind}(f, fcntl.LOCK_EX)
print('held', flush=True)
time.sleep(1000)
`;
  const child = spawn('python3', ['-c', script, mbox], { stdio: ['ignore', 'pipe', 'inherit'] });
  others.push(child);
  await once(child.stdout, 'data');
  return child;
}

describe('a lock of the kernel', () => {
  withPerl(
    'keeps out programs that use fcntl and those that use flock, until the file is closed',
    async () => {
      const fd = openMbox();
      expect(await kernelLock(system)(fd, 1_000)).toBe('locked');
      expect([isFree.fcntl(), isFree.flock()]).toEqual([false, false]);
      closeSync(open.pop()!);
      expect([isFree.fcntl(), isFree.flock()]).toEqual([true, true]);
    },
  );

  for (const kind of ['lockf', 'flock'] as const) {
    withPerl(
      `waits for a program that uses ${kind}, and keeps nothing if that takes too long`,
      async () => {
        const other = await holder(kind);
        const fd = openMbox();
        expect(await kernelLock(system)(fd, 1_000)).toBe('busy');
        expect(kind === 'lockf' ? isFree.flock() : isFree.fcntl()).toBe(true);
        const waiting = kernelLock(system)(fd, 10_000);
        other.kill('SIGKILL');
        expect(await waiting).toBe('locked');
      },
    );
  }

  withFlock('is made by flock alone where there is no perl', async () => {
    const fd = openMbox();
    expect(await kernelLock(without('perl'))(fd, 1_000)).toBe('locked');
    expect(isFree.flock()).toBe(false);
    expect(await kernelLock(without('perl'))(openMbox(), 1_000)).toBe('busy');
  });

  it('cannot be had where there is neither, which is asked once', async () => {
    const processes = scriptedProcesses(() => {
      throw Object.assign(new Error(), { code: 'ENOENT' });
    });
    const lock = kernelLock(processes);
    expect([await lock(0, 1_000), await lock(0, 1_000)]).toEqual(['impossible', 'impossible']);
    expect(processes.commands.map(({ file }) => file)).toEqual(['perl', 'flock']);
  });

  it.each([
    [0, 'locked'],
    [1, 'locked'],
    [2, 'locked'],
    [3, 'impossible'],
    [75, 'busy'],
    [255, 'impossible'],
  ])('that ends with %d is %s', async (code, expected) => {
    const lock = kernelLock(scriptedProcesses(() => exited(code)));
    expect(await lock(0, 1_000, { uid: 7, gid: 8 })).toBe(expected);
  });
});

describe('an mbox', () => {
  withPerl('that a mail reader has locked gets its letter when the reader is done', async () => {
    home.write('.qmail', './mbox\n');
    const other = await holder('lockf');
    let asked = 0;
    const lock = kernelLock(system);
    const parts = {
      clock: systemClock,
      kernelLock: async (...args: Parameters<typeof lock>) => {
        asked += 1;
        setTimeout(() => other.kill('SIGKILL'), 50);
        return lock(...args);
      },
    };
    const { said } = await post(home, { parts });
    expect([said, asked]).toEqual(['Kdid 1+0+0\n', 1]);
    expect(home.read('mbox')).toContain('Subject: hello');
    expect([isFree.fcntl(), isFree.flock()]).toEqual([true, true]);
  });

  it('whose reader does not end is left alone, its dot-lock given back in between', async () => {
    home.write('.qmail', './mbox\n');
    const seen: string[][] = [];
    const parts = {
      kernelLock: async () => {
        seen.push(home.list('.').filter((name) => name.endsWith('.lock')));
        clock.advance(5_000);
        return 'busy' as const;
      },
    };
    const clock = new ManualClock(Date.now());
    const waiting = post(home, { parts: { ...parts, clock } });
    let settled = false;
    void waiting.finally(() => (settled = true));
    while (!settled) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(250);
    }
    expect((await waiting).said).toBe('ZFile has been locked for 30 seconds straight. (#4.3.0)\n');
    expect(seen.length).toBeGreaterThan(3);
    expect(new Set(seen.flat())).toEqual(new Set(['mbox.lock']));
    expect(home.list('.').sort()).toEqual(['.qmail', 'mbox']);
    expect(home.read('mbox')).toBe('');
  });
});
