/** The embedded log among processes: crashes, locks, readers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream } from '../../../src/log/ports.ts';
import { openReader } from '../../../src/log/sqlite/open-reader.ts';
import { SqliteLog } from '../../../src/log/sqlite/sqlite-log.ts';
import { Child, logChildWords, works } from '../../support/children.ts';
import { newStream, noted, notedAll, notes } from '../../support/log-events.ts';
import { openAt } from '../../support/sqlite-log.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

let dir: TempDir;
let children: Child[] = [];
const start = (job: string) => {
  const child = new Child(logChildWords(job, dir.path));
  children.push(child);
  return child;
};
beforeEach(() => {
  dir = tempDir();
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()));
  children = [];
  dir.remove();
});

describe('a writer that is killed', () => {
  it('leaves every append it was told of, and nothing half, however often', async () => {
    const told = new Map<string, number>();
    for (const enough of [1, 50, 120, 333, 800]) {
      const child = start('append');
      await child.until((lines) => lines.length >= enough);
      await child.kill();
      for (const line of child.lines) {
        const [id = '', revision = ''] = line.split(' ');
        told.set(id, Math.max(told.get(id) ?? -1, Number(revision)));
      }
      const { log } = openAt(dir);
      for (const [id, revision] of told) {
        const story = await log.readStream(`message-${id}`);
        expect(story.length).toBeGreaterThan(revision);
        expect(notes(story)).toEqual(story.map((_, n) => n));
      }
      const all = await log.readAll({ after: 0, limit: 1_000_000 });
      expect(all.map(({ position }) => position)).toEqual(all.map((_, n) => n + 1));
      for (const { stream } of all.filter(({ revision }) => revision === 0)) {
        // Each append had two events, and the first a body.
        expect((await log.readStream(stream)).length % 2).toBe(0);
        const id = stream.slice('message-'.length);
        expect(Buffer.from(log.readBody(stream)!).toString()).toBe(`${id}\r\n`.repeat(100));
      }
      expect(log.damages()).toEqual([]);
      await log.close();
    }
    expect(told.size).toBeGreaterThan(200);
  });
});

/**
 * Makes the two copies of the index's header differ, or the same again (walformat.html §2.1: the counter at 8).
 * In a process of its own: closing the file here would take back the locks that this one holds on it.
 */
function tear(index: string): void {
  const flip = `const { openSync, readSync, writeSync } = require('node:fs');
    const file = openSync(process.argv[1], 'r+');
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, 8);
    writeSync(file, Buffer.of(byte[0] ^ 1), 0, 1, 8);`;
  execFileSync(process.execPath, ['-e', flip, index]);
}

describe('a second writer', () => {
  it('in another process is refused while the first lives, however it dies', async () => {
    const holder = start('hold');
    await holder.until(([line]) => line === 'held');
    expect(() => new SqliteLog(dir.file('log.db'))).toThrow(
      expect.objectContaining({ code: 'log-in-use', tryAgain: true }),
    );
    const other = start('hold');
    await other.until(([line]) => line === 'log-in-use');
    await holder.kill();
    const log = new SqliteLog(dir.file('log.db'));
    expect(notes(await log.readAll({ after: 0, limit: 10 }))).toEqual(['held']);
    await log.close();
  });

  it('in the same process is refused, and does not disturb the first', async () => {
    const first = new SqliteLog(dir.file('log.db'));
    expect(() => new SqliteLog(dir.file('log.db'))).toThrow(
      expect.objectContaining({ code: 'log-in-use' }),
    );
    expect(() => new SqliteLog(dir.file('log.db'))).toThrow();
    await first.append(newStream(), noStream, notedAll('a'));
    const other = start('hold');
    await other.until(([line]) => line === 'log-in-use');
    await first.close();
    const second = new SqliteLog(dir.file('log.db'));
    expect(notes(await second.readAll({ after: 0, limit: 10 }))).toEqual(['a']);
    await second.close();
  });
});

describe('a reader', () => {
  it('in another process hears everything while it is written', async () => {
    const { log } = openAt(dir);
    const stream = newStream();
    await log.append(stream, noStream, [noted(0)]);
    const child = start('follow');
    await child.until((lines) => lines.includes('caught-up'));
    for (let n = 1; n < 300; n += 1) await log.append(stream, n - 1, [noted(n)]);
    await child.until((lines) => lines.length > 300);
    expect(child.lines.filter((line) => line !== 'caught-up')).toEqual(
      Array.from({ length: 300 }, (_, n) => String(n)),
    );
    await log.close();
  });

  it('that may not write says whose affair an index is that was left in the middle of a change', async () => {
    const holder = start('hold');
    await holder.until(([line]) => line === 'held');
    // As for one that has no right to write there, whoever runs this test.
    const file = `${pathToFileURL(dir.file('log.db')).href}?readonly_shm=1`;
    const reader = openReader(file);
    expect(await reader.head()).toBe(1);
    tear(dir.file('log.db-shm'));
    await expect(reader.head()).rejects.toMatchObject({
      ...{ code: 'log-unavailable', message: expect.stringContaining('start the engine') },
    });
    expect(() => openReader(file)).toThrow(expect.objectContaining({ code: 'log-unavailable' }));
    tear(dir.file('log.db-shm'));
    expect(await reader.head()).toBe(1);
    reader.close();
  });

  it('reads while the log is written, after it is closed, and says where it ends', async () => {
    const { log } = openAt(dir);
    const stream = newStream();
    const staged = {
      ref: { id: stream.slice(8), bytes: 4, sha256: '' },
      inline: Buffer.from('body'),
    };
    await log.append(stream, noStream, notedAll('a', 'b'), staged);
    const reader = openReader(dir.file('log.db'));
    expect(notes(await reader.readAll({ after: 0, limit: 10 }))).toEqual(['a', 'b']);
    await log.append(stream, 1, notedAll('c'));
    expect(await reader.head()).toBe(3);
    await log.close();
    expect(notes(await reader.readStream(stream, { direction: 'backwards' }))).toEqual([
      'c',
      'b',
      'a',
    ]);
    expect(Buffer.from(reader.readBody(stream)!).toString()).toBe('body');
    expect(reader.check()).toEqual([]);
    reader.close();
    await expect(reader.head()).rejects.toMatchObject({ code: 'log-unavailable' });
    const late = openReader(dir.file('log.db'));
    expect(await late.head()).toBe(3);
    late.close();
  });

  it('ends its subscriptions when it closes', async () => {
    await openAt(dir).log.close();
    const reader = openReader(dir.file('log.db'), { pollMs: 1 });
    const ended = new Promise<void>((resolve) =>
      reader.subscribe(0).subscribe({ next: () => reader.close(), complete: resolve }),
    );
    await ended;
  });

  const itWithShell = works('sqlite3', '--version') ? it : it.skip;
  itWithShell(
    'with nothing but the sqlite3 shell sees the events, while they are written',
    async () => {
      const { log } = openAt(dir);
      const stream = newStream();
      await log.append(stream, noStream, [noted('a'), noted('b', { text: 'Grüße' })]);
      await log.append('node-here', noStream, notedAll('c'));
      const query =
        'SELECT position, stream, revision, type, v, at, data FROM events ORDER BY position';
      const shell = (file: string): unknown =>
        JSON.parse(
          execFileSync('sqlite3', ['-readonly', '-json', file, query], { encoding: 'utf8' }),
        );
      const type = { type: 'LetterNoted', v: 1, at: '2026-01-01T00:00:00.000Z' };
      const expected = [
        { position: 1, stream, revision: 0, ...type, data: '{"n":"a"}' },
        { position: 2, stream, revision: 1, ...type, data: '{"n":"b","text":"Grüße"}' },
        { position: 3, stream: 'node-here', revision: 0, ...type, data: '{"n":"c"}' },
      ];
      expect(shell(dir.file('log.db'))).toEqual(expected);
      await log.close();
      expect(shell(dir.file('log.db'))).toEqual(expected);
    },
  );
});

describe('a directory in which nobody may write', () => {
  it('refuses the writer with the reason', async () => {
    expect(() => new SqliteLog(dir.file('missing/log.db'))).toThrow(
      expect.objectContaining({
        code: 'log-unavailable',
        message: expect.stringContaining('missing/log.db.lock') as unknown,
      }),
    );
  });

  // Root may write anywhere, so as root another user tries.
  const isRoot = process.getuid?.() === 0;
  const other = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  /** Node itself may lie where only root can look. */
  const mayRun = spawnSync(process.execPath, ['--version'], { ...other, cwd: '/' }).status === 0;
  (mayRun ? it : it.skip).each(['new', 'existing'])(
    'refuses the writer of a %s log',
    async (which) => {
      if (which === 'existing') await openAt(dir).log.close();
      chmodSync(dir.path, 0o555);
      const child = new Child(logChildWords('hold', dir.path), other);
      children.push(child);
      await child.until((lines) => lines.length > 0);
      expect(child.lines).toEqual(['log-unavailable']);
      chmodSync(dir.path, 0o755);
    },
  );
});
