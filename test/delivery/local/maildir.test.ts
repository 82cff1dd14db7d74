import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directorySync } from '../../../src/delivery/local/directory-sync.ts';
import { systemFiles, type FileCalls } from '../../../src/delivery/local/file-calls.ts';
import { localLetter, type Letter } from '../../../src/delivery/local/letter.ts';
import { deliverToMaildir, type MaildirTask } from '../../../src/delivery/local/maildir.ts';
import { ManualClock } from '../../../src/platform/clock.ts';
import { brokenBody, Home, letterOf, messageId, plainLetter } from './story.ts';

let home: Home;
beforeEach(() => {
  home = new Home().maildir();
});
afterEach(() => home.remove());

const head = 'Return-Path: <s@q.r>\nDelivered-To: joe@demo.test\n';
const delivered = `${head}Subject: hello\n\nline\n`;

const put = (more: Partial<MaildirTask> = {}, files: FileCalls = systemFiles) =>
  deliverToMaildir(
    {
      files,
      syncDirectory: directorySync(files),
      clock: new ManualClock(),
      hostName: 'mx',
      as: (run) => run(),
    },
    {
      path: `${home.path}/Maildir/`,
      mayMake: false,
      key: { message: messageId, rcpt: 0, line: 0 },
      retry: false,
      head,
      letter: letterOf(plainLetter),
      ...more,
    },
  );

const failing = (code: string) => () => {
  throw Object.assign(new Error(code), { code });
};
const temporary = { kind: 'deferred', text: 'Temporary error on maildir delivery. (#4.3.0)' };

describe('a Maildir', () => {
  it('gets the letter with LF line ends in new/, and keeps nothing in tmp/', async () => {
    expect(await put()).toBeUndefined();
    expect(home.letters()).toEqual([delivered]);
    expect(home.list('Maildir/tmp')).toEqual([]);
  });

  it('gets a large letter piece by piece', async () => {
    const line = `${'x'.repeat(70)}\r\n`;
    await put({ letter: letterOf(line.repeat(3000), 997) });
    expect(home.letters()).toEqual([head + line.replace('\r', '').repeat(3000)]);
  });

  it('has letters that only their owner reads', async () => {
    await put();
    const [name = ''] = home.list('Maildir/new');
    expect(systemFiles.statSync(join(home.path, 'Maildir/new', name)).mode & 0o777).toBe(0o600);
  });

  it('has each letter on disk before it is in new/, and new/ itself before we say so', async () => {
    const order: string[] = [];
    const files: FileCalls = {
      ...systemFiles,
      fsync: Object.assign(
        ((fd, done) => {
          order.push(systemFiles.fstatSync(fd).isDirectory() ? 'sync directory' : 'sync file');
          systemFiles.fsync(fd, done);
        }) as FileCalls['fsync'],
        { __promisify__: systemFiles.fsync.__promisify__ },
      ),
      linkSync: (from, to) => {
        order.push('link');
        systemFiles.linkSync(from, to);
      },
    };
    await put({}, files);
    expect(order).toEqual(['sync file', 'link', 'sync directory']);
  });

  it('keeps twenty letters that come at once apart', async () => {
    const keys = Array.from({ length: 20 }, (_, rcpt) => ({ message: messageId, rcpt, line: 0 }));
    await Promise.all(keys.map((key) => put({ key })));
    expect(home.letters()).toHaveLength(20);
  });

  it('gets two copies where two lines ask for them', async () => {
    await put({ key: { message: messageId, rcpt: 0, line: 0 } });
    await put({ key: { message: messageId, rcpt: 0, line: 1 } });
    expect(home.letters()).toEqual([delivered, delivered]);
  });

  it('gets a letter once though an attempt was forgotten, read or unread', async () => {
    await put();
    expect(await put({ retry: true })).toBeUndefined();
    expect(home.letters()).toEqual([delivered]);
    const [name = ''] = home.list('Maildir/new');
    renameSync(join(home.path, 'Maildir/new', name), join(home.path, `Maildir/cur/${name}:2,S`));
    expect(await put({ retry: true })).toBeUndefined();
    expect(home.letters()).toEqual([]);
    expect(home.list('Maildir/cur')).toHaveLength(1);
  });

  it('is not asked what it has at a first attempt, and keeps what is there all the same', async () => {
    await put();
    expect(await put()).toBeUndefined();
    expect(home.letters()).toEqual([delivered]);
    expect(home.list('Maildir/tmp')).toEqual([]);
  });

  it('keeps both of two letters whose names may repeat', async () => {
    await put({ key: { message: 'm1', rcpt: 0, line: 0 } });
    await put({ key: { message: 'm1', rcpt: 0, line: 0 } });
    expect(home.letters()).toEqual([delivered, delivered]);
  });

  it('that is missing defers, and is not made', async () => {
    expect(await put({ path: `${home.path}/Other/` })).toEqual({
      kind: 'deferred',
      text: 'Unable to chdir to maildir. (#4.2.1)',
    });
    expect(home.list('.')).not.toContain('Other');
  });

  it('that is missing in a managed home is made', async () => {
    expect(await put({ path: `${home.path}/a/Other/`, mayMake: true })).toBeUndefined();
    expect(home.list('a/Other').sort()).toEqual(['cur', 'new', 'tmp']);
    expect(home.letters('a/Other')).toEqual([delivered]);
  });

  it('without new/ defers and leaves nothing behind', async () => {
    rmdirSync(join(home.path, 'Maildir/new'));
    expect(await put()).toEqual(temporary);
    expect(home.list('Maildir/tmp')).toEqual([]);
  });

  it('without cur/ is enough for a retry', async () => {
    rmdirSync(join(home.path, 'Maildir/cur'));
    expect(await put({ retry: true })).toBeUndefined();
    expect(home.letters()).toEqual([delivered]);
  });

  it.each([
    ['the disk is full', { writeSync: failing('ENOSPC') }],
    ['the link fails', { linkSync: failing('EMLINK') }],
    ['names in tmp/ are always taken', { openSync: failing('EEXIST') }],
  ])('defers when %s', async (_, broken) => {
    expect(await put({}, { ...systemFiles, ...broken })).toEqual(temporary);
    expect(home.letters()).toEqual([]);
    expect(home.list('Maildir/tmp')).toEqual([]);
  });

  it.each([1, 2])('defers when sync number %d fails', async (which) => {
    let syncs = 0;
    const fsync = ((fd: number, done: (cause: NodeJS.ErrnoException | null) => void) => {
      if ((syncs += 1) === which) done(Object.assign(new Error('EIO'), { code: 'EIO' }));
      else systemFiles.fsync(fd, done);
    }) as FileCalls['fsync'];
    expect(await put({}, { ...systemFiles, fsync })).toEqual(temporary);
    // The retry must not add a second one to a letter whose directory could not be synced.
    expect(await put({ retry: true })).toBeUndefined();
    expect(home.letters()).toEqual([delivered]);
  });

  it('writes on after a short write', async () => {
    const writeSync = ((fd: number, bytes: Uint8Array, offset: number, length: number) =>
      systemFiles.writeSync(fd, bytes, offset, Math.min(length, 7))) as FileCalls['writeSync'];
    await put({}, { ...systemFiles, writeSync });
    expect(home.letters()).toEqual([delivered]);
  });

  it('takes another name when one in tmp/ is taken', async () => {
    let taken = 2;
    const openSync = ((...args: Parameters<FileCalls['openSync']>) =>
      String(args[0]).includes('/tmp/1') && (taken -= 1) >= 0
        ? failing('EEXIST')()
        : systemFiles.openSync(...args)) as FileCalls['openSync'];
    expect(await put({}, { ...systemFiles, openSync })).toBeUndefined();
    expect(home.letters()).toEqual([delivered]);
  });

  it('gets nothing of a letter that cannot be read to its end', async () => {
    const letters: Letter[] = [
      localLetter(brokenBody(plainLetter)),
      localLetter({ ...brokenBody(plainLetter), read: async function* () {} }),
    ];
    for (const letter of letters) {
      expect(await put({ letter })).toEqual({
        kind: 'deferred',
        text: 'Unable to read message. (#4.3.0)',
      });
    }
    expect(home.letters()).toEqual([]);
    expect(home.list('Maildir/tmp')).toEqual([]);
  });

  it('keeps what a power cut left in tmp/ out of sight', async () => {
    writeFileSync(join(home.path, 'Maildir/tmp/left'), 'half');
    await put();
    expect(home.letters()).toEqual([delivered]);
    expect(readFileSync(join(home.path, 'Maildir/tmp/left'), 'utf8')).toBe('half');
  });
});
