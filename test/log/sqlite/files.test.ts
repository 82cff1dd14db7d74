/** Which files the embedded log opens, makes and refuses. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream } from '../../../src/log/ports.ts';
import { openReader } from '../../../src/log/sqlite/open-reader.ts';
import { format } from '../../../src/log/sqlite/schema.ts';
import { SqliteLog } from '../../../src/log/sqlite/sqlite-log.ts';
import { newStream, notedAll, notes } from '../../support/log-events.ts';
import { openAt } from '../../support/sqlite-log.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

let dir: TempDir;
let file: string;
beforeEach(() => {
  dir = tempDir();
  file = dir.file('log.db');
});
afterEach(() => dir.remove());

const sql = (words: string) => {
  const db = new DatabaseSync(file);
  db.exec(words);
  db.close();
};
const refusal = (text: string) =>
  expect.objectContaining({
    code: 'log-unavailable',
    tryAgain: false,
    message: expect.stringContaining(text) as unknown,
  });

describe('a log of a newer format', () => {
  it('is neither written nor read, and left as it was', async () => {
    await openAt(dir).log.close();
    sql(`PRAGMA user_version = ${format + 1}`);
    const before = readFileSync(file);
    expect(() => new SqliteLog(file)).toThrow(refusal(`has format ${format + 1}`));
    expect(() => openReader(file)).toThrow(refusal(`knows formats up to ${format}`));
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe("another program's file", () => {
  it.each<[string, () => void]>([
    ['a text', () => writeFileSync(file, 'Received: from somewhere\n'.repeat(1_000))],
    ['a database with tables', () => sql('CREATE TABLE mail (id)')],
    ['a database with a name of its own', () => sql('PRAGMA application_id = 1234567')],
    ['a database with a version of its own', () => sql('PRAGMA user_version = 1')],
  ])('that is %s is refused and left as it was', (_, make) => {
    make();
    const before = readFileSync(file);
    expect(() => new SqliteLog(file)).toThrow(refusal('is not a log of Waybill'));
    expect(() => openReader(file)).toThrow(refusal('is not a log of Waybill'));
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('that is a directory is refused', () => {
    mkdirSync(file);
    expect(() => new SqliteLog(file)).toThrow(expect.objectContaining({ code: 'log-unavailable' }));
  });

  it('keeps the lock from nobody when it is refused', async () => {
    sql('CREATE TABLE mail (id)');
    expect(() => new SqliteLog(file)).toThrow(refusal('is not a log'));
    sql('DROP TABLE mail');
    await new SqliteLog(file).close();
  });
});

describe('a new log', () => {
  it('is made where there is none, or an empty file', async () => {
    writeFileSync(file, '');
    const { log } = openAt(dir);
    const stream = newStream();
    expect(await log.head()).toBe(0);
    await log.append(stream, noStream, notedAll('a'));
    await log.close();
    const reader = openReader(file);
    expect(notes(await reader.readStream(stream))).toEqual(['a']);
    reader.close();
  });

  it('is finished where its making was cut short', async () => {
    sql('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
    const { log } = openAt(dir);
    await log.append(newStream(), noStream, notedAll('a'));
    await log.close();
  });

  it('is not made by a reader', () => {
    expect(() => openReader(file)).toThrow(expect.objectContaining({ code: 'log-unavailable' }));
  });
});

describe('the file of a log', () => {
  it('is all there is after closing: no journal remains beside it', async () => {
    const { log } = openAt(dir);
    await log.append(newStream(), noStream, notedAll('a'));
    await log.close();
    expect(() => readFileSync(`${file}-wal`)).toThrow();
  });
});

describe('a body whose letter is done', () => {
  it('is removed, and its place is never taken for that of another letter', async () => {
    const { log, spool } = openAt(dir);
    const accept = async (text: string) => {
      const stream = newStream();
      const staged = await spool.stage(stream.slice('message-'.length), Buffer.from(text));
      await log.append(stream, noStream, notedAll('accepted'), staged);
      return staged.ref;
    };
    const first = await accept('first');
    await spool.remove([first.id]);
    const second = await accept('second');
    await expect(spool.read(first)).rejects.toMatchObject({ code: 'body-missing' });
    // Removing a letter's body once more must not touch the next letter's.
    await spool.remove([first.id]);
    expect(Buffer.from(await spool.read(second)).toString()).toBe('second');
    expect(await log.readStream(`message-${first.id}`)).toHaveLength(1);
    await log.close();
  });

  it('is removed among many, unknown ones included, with events and other bodies untouched', async () => {
    const { log } = openAt(dir);
    const streams = Array.from({ length: 50 }, newStream);
    await Promise.all(
      streams.map((stream) => {
        const ref = { id: stream.slice('message-'.length), bytes: 4, sha256: '' };
        return log.append(stream, noStream, notedAll('a'), { ref, inline: Buffer.from('body') });
      }),
    );
    await log.removeBodies([...streams.slice(0, 25), newStream(), 'node-here']);
    expect(streams.filter((stream) => log.readBody(stream) === undefined)).toEqual(
      streams.slice(0, 25),
    );
    expect(await log.readAll({ after: 0, limit: 100 })).toHaveLength(50);
    await log.close();
  });

  it('cannot be removed from a closed log, nor read', async () => {
    const { log } = openAt(dir);
    const stream = newStream();
    await log.append(stream, noStream, notedAll('a'));
    await log.close();
    const closed = expect.objectContaining({ code: 'log-unavailable' });
    await expect(log.removeBodies([stream])).rejects.toEqual(closed);
    expect(() => log.readBody(stream)).toThrow(closed);
    await expect(log.readStream(stream)).rejects.toEqual(closed);
    await expect(log.readAll({ direction: 'backwards', limit: 1 })).rejects.toEqual(closed);
  });
});
