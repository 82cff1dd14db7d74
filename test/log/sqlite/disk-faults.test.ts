/** A disk that fails while the log is written: seen by a process of its own, whose calls strace spoils. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { noStream } from '../../../src/log/ports.ts';
import { suspectMark } from '../../../src/log/sqlite/suspect.ts';
import { Trouble } from '../../../src/mail/trouble.ts';
import { Child, logChildWords, works } from '../../support/children.ts';
import { newStream, noted, notedAll } from '../../support/log-events.ts';
import { openAt } from '../../support/sqlite-log.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

const withStrace = works('strace', '-e', 'trace=none', 'true') ? describe : describe.skip;

const brokenLog = new Trouble('log-broken', { tryAgain: true, peer: 'log unavailable (#4.3.0)' });

let dir: TempDir;
beforeEach(async () => {
  dir = tempDir();
  // Made in peace.
  await openAt(dir).log.close();
});
afterEach(() => dir.remove());

/** `toil` in a child; `spoil` is strace's: a file of the log and what happens to calls on it. */
async function toil(...spoil: readonly [suffix: string, inject: string][]): Promise<Child> {
  const strace = spoil.flatMap(([suffix, inject]) => [
    ...['-P', dir.file(`log.db${suffix}`)],
    ...['-e', `inject=${inject}`],
  ]);
  const words = logChildWords('toil', dir.path);
  const child = new Child(
    spoil.length === 0
      ? words
      : ['strace', '-f', '-qq', '-o', dir.file('trace'), ...strace, ...words],
  );
  expect([await child.end(), child.errors]).toEqual([0, '']);
  return child;
}

const said = ({ lines }: Child, ...words: string[]): string[] =>
  lines.filter((line) => words.some((word) => line.startsWith(word)));
const ids = (child: Child, word: string): string[] =>
  said(child, `${word} `).map((line) => line.split(' ').at(-1)!);
const fingerprint = (suffix: string): string =>
  createHash('sha256')
    .update(readFileSync(dir.file(`log.db${suffix}`)))
    .digest('hex');

withStrace('a sync that fails', () => {
  const failing = ['-wal', 'fdatasync,fsync:error=EIO:when=4'] as [string, string];

  it('ends all writing: not one letter more is taken, though the next sync would do', async () => {
    const child = await toil(failing);
    expect(said(child, 'refused').length).toBeGreaterThanOrEqual(7);
    const first = child.lines.findIndex((line) => line.startsWith('refused'));
    expect(child.lines.slice(first).filter((line) => line.startsWith('written'))).toEqual([]);
    expect(new Set(said(child, 'refused').map((line) => line.split(' ')[1]))).toEqual(
      new Set(['log-broken']),
    );
    expect(said(child, 'trouble')).toEqual(['trouble log-broken']);
    // Neither bodies are removed, nor is anything folded back at the end.
    expect(said(child, 'log-broken', 'closed')).toEqual(['log-broken', 'closed']);
    expect(statSync(dir.file('log.db-wal')).size).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(suspectMark(dir.file('log.db')), 'utf8'))).toMatchObject({
      what: expect.stringContaining('failed to sync the log') as unknown,
    });
  });

  it('is looked over by the next start, which has all that was taken and goes on', async () => {
    const before = await toil(failing);
    const after = await toil();
    expect(said(after, 'cleared')).toHaveLength(1);
    expect(ids(after, 'found')).toEqual(expect.arrayContaining(ids(before, 'written')));
    // What was refused may be there; nothing else is.
    const known = [...ids(before, 'written'), ...ids(before, 'refused')];
    expect(known).toEqual(expect.arrayContaining(ids(after, 'found')));
    expect(ids(after, 'written')).toHaveLength(12);
    expect(existsSync(suspectMark(dir.file('log.db')))).toBe(false);
    const third = await toil();
    expect(said(third, 'cleared', 'damage')).toEqual([]);
    expect(ids(third, 'found')).toEqual([...ids(after, 'found'), ...ids(after, 'written')]);
  });

  it('that fails again while the log is looked over leaves it as suspect as it was', async () => {
    await toil(failing);
    const [file, wal] = [fingerprint(''), fingerprint('-wal')];
    const child = new Child([
      ...['strace', '-f', '-qq', '-o', dir.file('trace'), '-P', dir.file('log.db')],
      ...['-e', 'inject=fdatasync,fsync:error=EIO'],
      ...logChildWords('toil', dir.path),
    ]);
    expect(await child.end()).not.toBe(0);
    expect(child.errors).toContain('failed to sync the log');
    expect(child.lines).toEqual([]);
    expect(existsSync(suspectMark(dir.file('log.db')))).toBe(true);
    expect(fingerprint('-wal')).toBe(wal);
    expect(file).toHaveLength(64);
    expect(said(await toil(), 'cleared')).toHaveLength(1);
  });

  it('of the file itself, when the write-ahead log is folded back at the end, counts as much', async () => {
    const child = await toil(['', 'fdatasync,fsync:error=EIO']);
    expect(said(child, 'written')).toHaveLength(12);
    expect(statSync(dir.file('log.db-wal')).size).toBeGreaterThan(0);
    expect(existsSync(suspectMark(dir.file('log.db')))).toBe(true);
    const after = await toil();
    expect(said(after, 'cleared')).toHaveLength(1);
    expect(ids(after, 'found')).toEqual(ids(child, 'written'));
  });
});

withStrace('a write that fails', () => {
  it.each([
    ['an error of the disk', 'EIO', 'log-unavailable'],
    ['no room', 'ENOSPC', 'log-full'],
    ['a file system that is read-only now', 'EROFS', 'log-unavailable'],
  ])('(%s) costs the letters of that time, and passes with it', async (_, errno, code) => {
    const child = await toil(['-wal', `pwrite64:error=${errno}:when=30..33`]);
    const refused = said(child, 'refused');
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map((line) => line.split(' ')[1]))).toEqual(new Set([code]));
    expect(child.lines.at(-2)).toMatch(/^written/);
    const after = await toil();
    expect(said(after, 'cleared', 'damage')).toEqual([]);
    expect(ids(after, 'found')).toEqual(ids(child, 'written'));
  });
});

describe('a log that was marked as suspect', () => {
  const suspect = (what = '{"at":"2026-01-01T00:00:00.000Z","what":"a sync failed"}\n') =>
    writeFileSync(suspectMark(dir.file('log.db')), what);
  const fill = async () => {
    const { log } = openAt(dir);
    for (let letter = 0; letter < 200; letter += 1) {
      await log.append(newStream(), noStream, notedAll('a', 'b'));
    }
    await log.close();
  };

  it.each([
    ['in full', undefined, '2026-01-01T00:00:00.000Z'],
    ['by a mark that was cut short', '{"at":', 'some time ago'],
  ])('(%s) is written again after it was looked over', async (_, mark, at) => {
    await fill();
    suspect(mark);
    const { log } = openAt(dir);
    expect(log.cleared).toMatchObject({ at, head: 400, events: 400 });
    expect(await log.append(newStream(), noStream, notedAll('c'))).toMatchObject({ position: 401 });
    await log.close();
    expect(existsSync(suspectMark(dir.file('log.db')))).toBe(false);
  });

  it('and does not hold is not written, and the reason says what can be done', async () => {
    await fill();
    const file = dir.file('log.db');
    const bytes = readFileSync(file);
    // The end of the last text of an event that lies on a page of its own.
    const at = bytes.lastIndexOf(Buffer.from('"a"'));
    bytes[at + 1] = 'z'.charCodeAt(0);
    writeFileSync(file, bytes);
    suspect();
    expect(() => openAt(dir)).toThrow(
      expect.objectContaining({
        code: 'log-damaged',
        message: expect.stringMatching(/event \d+: checksum.*remove .*log\.db\.suspect/) as unknown,
      }),
    );
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(existsSync(suspectMark(file))).toBe(true);
    // The lock is free, and other processes may read.
    expect(() => openAt(dir)).toThrow(expect.objectContaining({ code: 'log-damaged' }));
  });
});

describe('a hand that reports a broken file', () => {
  it('is given no more letters', async () => {
    let commits = 0;
    const { log } = openAt(dir, {
      hand: () => ({
        commit(batch, done) {
          commits += 1;
          done({ answers: batch.map(() => brokenLog), head: undefined, broken: brokenLog });
        },
        removeBodies: async () => [],
        close: async () => undefined,
      }),
    });
    const letters = [newStream(), newStream()].map((stream) =>
      log.append(stream, noStream, [noted(1)]),
    );
    for (const letter of letters)
      await expect(letter).rejects.toMatchObject({ code: 'log-broken' });
    await expect(log.append(newStream(), noStream, [noted(1)])).rejects.toBe(brokenLog);
    await expect(log.removeBodies([newStream()])).rejects.toBe(brokenLog);
    expect(commits).toBe(1);
    await log.close();
  });
});
