import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemFiles, type FileCalls } from '../../../src/delivery/local/file-calls.ts';
import { inTurn } from '../../../src/delivery/local/in-turn.ts';
import { localLetter } from '../../../src/delivery/local/letter.ts';
import { deliverToMbox, type MboxParts, type MboxTask } from '../../../src/delivery/local/mbox.ts';
import { ManualClock } from '../../../src/platform/clock.ts';
import { works } from '../../support/children.ts';
import { brokenBody, Home, letterOf } from './story.ts';

let home: Home;
let clock: ManualClock;
beforeEach(() => {
  home = new Home();
  clock = new ManualClock(Date.now());
});
afterEach(() => home.remove());

const head =
  'From s-p-x@y Fri Nov 20 23:57:46 2026\nReturn-Path: <"s p\tx"@y>\nDelivered-To: joe@h\n';
const locked = {
  kind: 'deferred',
  text: 'File has been locked for 30 seconds straight. (#4.3.0)',
};

const parts = (files: FileCalls = systemFiles): MboxParts => ({
  ...{ files, clock, inTurn: inTurn() },
  as: (run) => run(),
});

const task = (text = 'A: b\r\n\r\npartial', more: Partial<MboxTask> = {}): MboxTask => ({
  ...{ name: './mbox', path: join(home.path, 'mbox'), head, letter: letterOf(text) },
  ...more,
});

/** Pushes the clock until the promise settles. */
async function pushing<T>(promise: Promise<T>, byMs: number): Promise<T> {
  let settled = false;
  const done = promise.finally(() => (settled = true));
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(byMs);
  }
  return done;
}

describe('an mbox', () => {
  it('gets the letter as mboxrd, its last line completed, a blank line after it', async () => {
    expect(await deliverToMbox(parts(), task())).toBeUndefined();
    expect(home.read('mbox')).toBe(`${head}A: b\n\npartial\n\n`);
    expect(statSync(join(home.path, 'mbox')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(home.path, 'mbox.lock'))).toBe(false);
  });

  const withPython = works('python3', '-c', '') ? it : it.skip;
  withPython('is read as that many letters by another program (python3)', async () => {
    await deliverToMbox(parts(), task('Subject: one\r\n\r\nFrom here\r\n>From there\r\n'));
    await deliverToMbox(parts(), task('Subject: two\r\n\r\nend'));
    const script =
      'import mailbox,sys\nfor m in mailbox.mbox(sys.argv[1]): print(m["subject"], m["return-path"], repr(m.get_payload()))';
    const seen = execFileSync('python3', ['-c', script, join(home.path, 'mbox')]).toString();
    expect(seen).toBe(
      'one <"s p\tx"@y> \'>From here\\n>>From there\\n\'\ntwo <"s p\tx"@y> \'end\\n\'\n',
    );
  });

  it('gets letters that come at once one after the other', async () => {
    const together = parts();
    const bodies = Array.from({ length: 10 }, (_, n) => `${n}`.repeat(5));
    await Promise.all(bodies.map((body) => deliverToMbox(together, task(body))));
    expect(home.read('mbox')).toBe(bodies.map((body) => `${head}${body}\n\n`).join(''));
  });

  it('that cannot be opened defers', async () => {
    const path = join(home.path, 'nowhere/mbox');
    expect(await deliverToMbox(parts(), task('', { path, name: './nowhere/mbox' }))).toEqual({
      kind: 'deferred',
      text: 'Unable to open ./nowhere/mbox: file does not exist. (#4.2.1)',
    });
    expect(await deliverToMbox(parts(), task('', { path: home.path }))).toEqual({
      kind: 'deferred',
      text: 'Unable to open ./mbox: is a directory. (#4.2.1)',
    });
  });

  it('that another program holds for 30 seconds defers, and is not touched', async () => {
    home.write('mbox.lock', '1');
    const running = pushing(deliverToMbox(parts(), task()), 250);
    expect(await running).toEqual(locked);
    expect(home.read('mbox')).toBe('');
    expect(home.read('mbox.lock')).toBe('1');
  });

  it('is waited for until another program lets it go', async () => {
    home.write('mbox.lock', '1');
    const start = clock.now();
    clock.at(start + 5_000, () => systemFiles.unlinkSync(join(home.path, 'mbox.lock')));
    expect(await pushing(deliverToMbox(parts(), task()), 250)).toBeUndefined();
    expect(home.read('mbox')).toContain('partial');
  });

  it('goes into the file that has the name, when another was put there while it waited', async () => {
    const mbox = join(home.path, 'mbox');
    let waited = 0;
    const kernelLock = async () => {
      waited += 1;
      if (waited === 1) {
        // A mail reader that writes a new file and renames it into place.
        writeFileSync(`${mbox}.new`, 'kept\n');
        renameSync(mbox, `${mbox}.old`);
        renameSync(`${mbox}.new`, mbox);
      }
      return 'locked' as const;
    };
    expect(
      await deliverToMbox({ ...parts(), kernelLock }, task('Subject: x\r\n\r\nhere\r\n')),
    ).toBeUndefined();
    expect(readFileSync(mbox, 'latin1')).toMatch(/^kept\n[^]*here\n/);
    expect(readFileSync(`${mbox}.old`, 'latin1')).toBe('');
    expect(waited).toBe(2);
  });

  it('whose lock was forgotten more than five minutes ago is free', async () => {
    const lock = join(home.path, 'mbox.lock');
    writeFileSync(lock, '1');
    const old = (clock.now() - 301_000) / 1000;
    utimesSync(lock, old, old);
    expect(await deliverToMbox(parts(), task())).toBeUndefined();
    expect(home.list('.').sort()).toEqual(['mbox']);
  });

  it('that cannot be locked is written to all the same', async () => {
    const openSync = ((...args: Parameters<FileCalls['openSync']>) => {
      if (String(args[0]).endsWith('.lock')) throw Object.assign(new Error(), { code: 'EACCES' });
      return systemFiles.openSync(...args);
    }) as FileCalls['openSync'];
    expect(await deliverToMbox(parts({ ...systemFiles, openSync }), task())).toBeUndefined();
    expect(home.read('mbox')).toContain('partial');
  });

  it('is cut back to what it was when the disk is full', async () => {
    home.write('mbox', 'From before\n\nold\n\n');
    let writes = 0;
    const writeSync = ((fd: number, bytes: Uint8Array, ...rest: [number, number]) => {
      // The lock's own write is the first, the head the second.
      if ((writes += 1) > 2) throw Object.assign(new Error(), { code: 'ENOSPC' });
      return systemFiles.writeSync(fd, bytes, ...rest);
    }) as FileCalls['writeSync'];
    expect(await deliverToMbox(parts({ ...systemFiles, writeSync }), task())).toEqual({
      kind: 'deferred',
      text: 'Unable to write ./mbox: out of disk space. (#4.3.0)',
    });
    expect(home.read('mbox')).toBe('From before\n\nold\n\n');
    expect(existsSync(join(home.path, 'mbox.lock'))).toBe(false);
  });

  it('is cut back when the letter cannot be read to its end', async () => {
    const letter = localLetter(brokenBody('A: b\r\n\r\nsome text\r\n'));
    expect(await deliverToMbox(parts(), task('', { letter }))).toEqual({
      kind: 'deferred',
      text: 'Unable to read message: input/output error. (#4.3.0)',
    });
    expect(home.read('mbox')).toBe('');
  });

  it('may be a device, which is neither locked nor synced', async () => {
    const path = '/dev/null';
    expect(await deliverToMbox(parts(), task('x', { path, name: path }))).toBeUndefined();
    expect(existsSync('/dev/null.lock')).toBe(false);
  });

  it('that is a full device defers', async () => {
    const path = '/dev/full';
    expect(await deliverToMbox(parts(), task('x', { path, name: path }))).toEqual({
      kind: 'deferred',
      text: 'Unable to write /dev/full: out of disk space. (#4.3.0)',
    });
  });

  it('that is a pipe without a reader does not hold up the mail', async () => {
    const path = join(home.path, 'fifo');
    execFileSync('mkfifo', [path]);
    expect(await deliverToMbox(parts(), task('x', { path, name: './fifo' }))).toEqual({
      kind: 'deferred',
      text: 'Unable to open ./fifo: device not configured. (#4.2.1)',
    });
  });
});
