/** Bytes that change on disk behind the log's back: noticed, named, and nobody else's trouble. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { noStream, type Damage, type RecordedEvent } from '../../../src/log/ports.ts';
import { openReader } from '../../../src/log/sqlite/open-reader.ts';
import { isTrouble } from '../../../src/mail/trouble.ts';
import { changeByte, placesOf, wipePage } from '../../support/file-bytes.ts';
import { newId, newStream, noted, notes } from '../../support/log-events.ts';
import { openAt } from '../../support/sqlite-log.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

const letters = 60;
const pageBytes = 8192;
const strikingAt = 0x0123_4567_89ab;

let dir: TempDir;
let file: string;
let ids: string[];
let written: readonly RecordedEvent[];

const bodyOf = (n: number) => Buffer.from(`Subject: body-of-${n}.\r\n\r\n`.repeat(20));
const streamOf = (n: number) => `message-${ids[n]!}`;
const everything = { after: 0, limit: 10_000 };

/** 60 letters with 3 events each, about 300 bytes an event, so that the log has a few pages. */
beforeEach(async () => {
  dir = tempDir();
  file = dir.file('log.db');
  ids = Array.from({ length: letters }, newId);
  const { log, spool } = openAt(dir);
  for (const [n, id] of ids.entries()) {
    const staged = await spool.stage(id, bodyOf(n));
    const time = n === 30 ? strikingAt : strikingAt + 1_000;
    const events = [0, 1, 2].map((each) => ({
      ...noted(3 * n + each, { text: `note-${n}-${each}.`.padEnd(250, '.') }),
      at: time + each,
    }));
    await log.append(`message-${id}`, noStream, events, staged);
  }
  written = await openedReader().readAll(everything);
  await log.close();
});
afterEach(() => dir.remove());

/** Where a letter's stream stands in leaf pages of the index; the file format calls them 10. */
function indexPlaces(n: number): number[] {
  const bytes = readFileSync(file);
  const key = Buffer.from(ids[n]!.replaceAll('-', ''), 'hex');
  return placesOf(file, key).filter((at) => bytes[at - (at % pageBytes)] === 10);
}

function openedReader(onDamage?: (damage: Damage) => void) {
  return openReader(file, onDamage === undefined ? {} : { onDamage });
}

/** Checks that just these notes are lost, that each is named once, and that appends still work. */
async function expectLost(lost: readonly number[], stream?: string): Promise<void> {
  const reported: Damage[] = [];
  const { log } = openAt(dir, { onDamage: (damage) => reported.push(damage) });
  const read = await log.readAll(everything);
  expect(read).toEqual(written.filter(({ position }) => !lost.includes(position - 1)));
  const backwards = await log.readAll({ direction: 'backwards', limit: 10_000 });
  expect([...backwards].reverse()).toEqual(read);
  expect(log.damages().map(({ position }) => position - 1)).toEqual(lost);
  expect(reported).toEqual(log.damages());
  if (stream !== undefined) {
    expect(log.damages()[0]?.stream).toBe(stream);
    await expect(log.readStream(stream)).rejects.toMatchObject({ code: 'log-damaged' });
  }
  const fresh = newStream();
  await log.append(fresh, noStream, [noted('after')]);
  expect(notes(await log.readStream(fresh))).toEqual(['after']);
  const head = await log.head();
  expect(head).toBeGreaterThan(written.at(-1)!.position);
  await log.close();
  const reader = openedReader();
  expect(notes(await reader.readAll({ after: written.at(-1)!.position, limit: 10 }))).toEqual([
    'after',
  ]);
  expect(await reader.head()).toBe(head);
  reader.close();
}

describe('one byte that has changed', () => {
  it('in what an event says makes it the only one lost', async () => {
    changeByte(file, placesOf(file, 'note-30-1.', 1)[0]!);
    await expectLost([91], streamOf(30));
  });

  it('in the last event of the log loses no position', async () => {
    changeByte(file, placesOf(file, 'note-59-2.', 1)[0]!);
    await expectLost([179], streamOf(59));
  });

  it('in the time of an event is noticed', async () => {
    const time = Buffer.alloc(6);
    time.writeUIntBE(strikingAt, 0, 6);
    changeByte(file, placesOf(file, time)[0]! + 5);
    await expectLost([90], streamOf(30));
  });

  it('in the position of an event is noticed', async () => {
    // Position 92 stands before the record, whose header of 9 bytes begins with two types:
    // nothing (the position, kept outside) and 16 bytes (the stream).
    const text = placesOf(file, 'note-30-1.', 1)[0]!;
    const place = readFileSync(file)
      .subarray(0, text)
      .lastIndexOf(Buffer.from([92, 9, 0, 44]));
    expect(text - place).toBeLessThan(60);
    changeByte(file, place);
    await expectLost([91]);
  });

  it('in a body is noticed by whoever reads all of it', async () => {
    for (const place of placesOf(file, 'body-of-7.')) changeByte(file, place);
    const { log, spool } = openAt(dir);
    const ref = (n: number) => ({ id: ids[n]!, bytes: bodyOf(n).byteLength, sha256: '' });
    const { ref: seventh } = await spool.stage(ids[7]!, bodyOf(7));
    const { ref: eighth } = await spool.stage(ids[8]!, bodyOf(8));
    await expect(spool.read(seventh)).rejects.toMatchObject({ code: 'body-damaged' });
    expect(Buffer.from(await spool.read(eighth)).equals(bodyOf(8))).toBe(true);
    expect((await spool.read(ref(7), 0, 10)).byteLength).toBe(10);
    expect(await log.readAll(everything)).toEqual(written);
    await log.close();
  });

  it("in an index takes nothing from the log's order, and the check of the file names it", async () => {
    changeByte(file, indexPlaces(30)[1]! + 15);
    const reader = openedReader();
    expect(await reader.readAll(everything)).toEqual(written);
    // Which way the changed entry leads astray is chance: the story breaks off, or is refused.
    const story = await reader.readStream(streamOf(30)).catch((cause: unknown) => {
      expect(isTrouble(cause, 'log-damaged')).toBe(true);
      return [];
    });
    expect(story).toEqual(written.slice(90, 90 + story.length));
    expect(story.length).toBeLessThan(3);
    expect(reader.check()).not.toEqual([]);
    reader.close();
  });
});

describe('a page that is wiped', () => {
  it('takes its own events along and no others', async () => {
    wipePage(file, placesOf(file, 'note-30-0.')[0]!, pageBytes);
    const reported: Damage[] = [];
    const { log } = openAt(dir, { onDamage: (damage) => reported.push(damage) });
    const read = await log.readAll(everything);
    const lost = log.damages().map(({ position }) => position);
    expect(lost).toContain(91);
    expect(lost.length).toBeLessThan(40);
    expect(read).toEqual(written.filter(({ position }) => !lost.includes(position)));
    expect(read.length + lost.length).toBe(180);
    expect(reported).toHaveLength(lost.length);
    const pages: RecordedEvent[] = [];
    for (let after = 0; ;) {
      const page = await log.readAll({ after, limit: 7 });
      pages.push(...page);
      if (page.length < 7) break;
      after = page.at(-1)!.position;
    }
    expect(pages).toEqual(read);
    await expect(log.readStream(streamOf(30))).rejects.toMatchObject({ code: 'log-damaged' });
    expect(await log.readStream(streamOf(0))).toHaveLength(3);
    await log.append(newStream(), noStream, [noted('after')]);
    await log.close();
  });

  it('at the end of the log leaves the rest readable, and appends say what is wrong', async () => {
    wipePage(file, placesOf(file, 'note-59-2.')[0]!, pageBytes);
    const { log } = openAt(dir);
    const read = await log.readAll(everything);
    expect(read.length).toBeGreaterThan(100);
    expect(read).toEqual(written.slice(0, read.length));
    expect(log.damages()).toHaveLength(180 - read.length);
    expect(await log.head()).toBe(180);
    await expect(log.append(newStream(), noStream, [noted(1)])).rejects.toMatchObject({
      code: 'log-damaged',
      tryAgain: true,
    });
    await log.close();
  });

  it('in the index fails the letters it held, and not those that share a commit with them', async () => {
    const more = openAt(dir).log;
    await Promise.all(
      Array.from({ length: 1_000 }, () => more.append(newStream(), noStream, [noted('more')])),
    );
    await more.close();
    wipePage(file, indexPlaces(30)[0]!, pageBytes);
    const { log } = openAt(dir);
    expect(await log.readAll({ after: 0, limit: 180 })).toEqual(written);
    const outcomes = await Promise.all(
      [
        log.append(streamOf(30), 2, [noted('next')]),
        log.append(newStream(), noStream, [noted('new')]),
        log.append(newStream(), noStream, [noted('new')]),
      ].map((appended) =>
        appended.then(
          () => 'written',
          (cause: unknown) => (isTrouble(cause) ? cause.code : cause),
        ),
      ),
    );
    expect(outcomes[0]).toBe('log-damaged');
    expect(outcomes).toEqual(['log-damaged', 'written', 'written']);
    await log.close();
  });
});

describe('any byte that changes', () => {
  it('never makes the log say what was not written, nor keep silent about what is lost', async () => {
    const sound = readFileSync(file);
    const known = new Map(written.map((event) => [event.position, JSON.stringify(event)]));
    const flip = fc.record({ place: fc.nat(sound.length - 1), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(flip, async ({ place, bit }) => {
        const bytes = Buffer.from(sound);
        bytes[place]! ^= 1 << bit;
        writeFileSync(file, bytes);
        let reader;
        try {
          reader = openedReader();
        } catch (cause) {
          expect(isTrouble(cause)).toBe(true);
          return;
        }
        try {
          const read = await reader.readAll(everything);
          const positions = read.map(({ position }) => position);
          for (const event of read) expect(JSON.stringify(event)).toBe(known.get(event.position));
          expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
          const named = reader.damages().length + reader.check().length;
          if (read.length < written.length) expect(named).toBeGreaterThan(0);
        } catch (cause) {
          if (!isTrouble(cause)) throw cause;
          expect(cause.code).toBe('log-damaged');
        } finally {
          reader.close();
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never keeps new letters from being written, or says so', async () => {
    const sound = readFileSync(file);
    const flip = fc.record({ place: fc.nat(sound.length - 1), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(flip, async ({ place, bit }) => {
        const bytes = Buffer.from(sound);
        bytes[place]! ^= 1 << bit;
        writeFileSync(file, bytes);
        try {
          const { log } = openAt(dir);
          const fresh = newStream();
          try {
            const { position } = await log.append(fresh, noStream, [noted('new')]);
            expect(position).toBeGreaterThan(written.length);
            expect(notes(await log.readStream(fresh))).toEqual(['new']);
          } finally {
            await log.close();
          }
        } catch (cause) {
          if (!isTrouble(cause)) throw cause;
          expect(['log-damaged', 'log-unavailable']).toContain(cause.code);
        }
      }),
      { numRuns: 150 },
    );
  });
});
