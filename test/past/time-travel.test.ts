import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstValueFrom, filter } from 'rxjs';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { EventLog } from '../../src/log/ports.ts';
import { keepHistory } from '../../src/past/history.ts';
import { LiveAgenda } from '../../src/past/live-agenda.ts';
import { openPast } from '../../src/past/past-queue.ts';
import type { HistoryOptions, Past } from '../../src/past/ports.ts';
import { birth } from '../support/queue-mail.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { seeded } from '../support/seeded.ts';
import { until } from '../support/until.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';
import { busyOffice, say, type Answer } from './busy-office.ts';

let dir: TempDir;
let directory: string;
let troubles: string[];
beforeEach(() => {
  dir = tempDir();
  directory = dir.file('past');
  troubles = [];
});
afterEach(() => dir.remove());

const onTrouble = (words: string) => troubles.push(words);
const marks = () => readdirSync(directory).sort();
const keep = (log: EventLog, options: Partial<HistoryOptions> = {}) =>
  firstValueFrom(
    keepHistory({
      ...{ log, directory, every: 4, bytesPerEvent: 1e6, onTrouble },
      ...options,
    }).pipe(filter(({ rebuilding }) => !rebuilding)),
  );
const pastOf = (log: MemoryLog): Past => openPast({ log, directory, onTrouble, keepRows: 60 });

/** Every answer asked again: by time and by position, all at once and one from memory of another. */
async function agree(log: MemoryLog, answers: readonly Answer[], seed: number): Promise<void> {
  const past = pastOf(log);
  const chance = seeded(seed);
  for (const { at, position, text, json } of answers) {
    const byTime = await past.agendaAt({ at });
    expect([byTime.position, byTime.now]).toEqual([position, at]);
    expect(await say(log, byTime)).toEqual({ text, json });
    const byPosition = await past.agendaAt({ position });
    expect(await say(log, { ...byPosition, now: at })).toEqual({ text, json });
    expect(await past.positionAt(at)).toBe(position);
  }
  for (let again = 2 * answers.length; again > 0; again -= 1) {
    const { at, position } = chance.one(answers);
    const place = chance.happens(0.5) ? { at } : { position };
    const { agenda, now } = await openPast({ log, directory: '/nowhere' }).agendaAt(place);
    const answer = await past.queueAt(place, 5);
    expect([answer.position, answer.now]).toEqual([position, now]);
    expect({ ...answer, owing: [...agenda.owing] }).toMatchObject({
      owing: answer.owing,
      counts: answer.counts,
    });
    expect(answer.rows.length).toBe(Math.min(5, answer.counts.recipients));
  }
}

describe('the queue as it was', () => {
  const kinds = [
    ['with marks at every turn', 6],
    ['with few marks', 60],
    ['without marks', Infinity],
  ] as const;
  for (const [what, every] of kinds) {
    it(`is what was said then, ${what}`, async () => {
      for (let seed = 1; seed <= 2; seed += 1) {
        rmSync(directory, { recursive: true, force: true });
        const { log, records } = await busyOffice(seed, 60);
        await keep(log, { every });
        expect(records.length).toBeGreaterThan(8);
        if (every === 6) expect(marks().length).toBeGreaterThan(10);
        await agree(log, records, seed);
      }
      expect(troubles).toEqual([]);
    });
  }

  it('is what was said then, whatever has become of the marks, and says what is wrong with them', async () => {
    const { log: other } = await busyOffice(99, 60);
    for (let seed = 11; seed <= 13; seed += 1) {
      rmSync(directory, { recursive: true, force: true });
      const { log, records } = await busyOffice(seed, 60);
      await keep(seed % 4 === 0 ? other : log);
      spoil(seed);
      await agree(log, records, seed);
      expect(troubles).not.toEqual([]);
      troubles.length = 0;
    }
  });

  /** Some of the marks, each in some way. */
  function spoil(seed: number): void {
    const chance = seeded(seed);
    const names = marks();
    const [last] = names.slice(-1);
    for (const name of names) {
      const file = join(directory, name);
      const bytes = readFileSync(file);
      const how = name === last ? 0 : chance.below(8);
      if (how === 0) {
        bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8);
        writeFileSync(file, bytes);
      } else if (how === 1) truncateSync(file, chance.below(bytes.length));
      else if (how === 2) rmSync(file);
      else if (how === 3) renameSync(file, file.replace(/\d-/, '0-'));
    }
  }

  it('of two instants does not go back for the later one, whatever the clocks say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 30 }), fc.nat(20), async (ats, asked) => {
        rmSync(directory, { recursive: true, force: true });
        const log = new MemoryLog();
        for (const [index, at] of ats.entries()) {
          await log.append('node-a-1', index - 1, [{ type: 'X', v: 1, at: birth + at, data: {} }]);
        }
        await keep(log, { every: 3 });
        const later = ats.findIndex((at) => at > asked);
        const expected = later === -1 ? ats.length : later;
        const past = pastOf(log);
        expect(await past.positionAt(birth + asked)).toBe(expected);
        expect((await past.agendaAt({ at: birth + asked })).position).toBe(expected);
      }),
      { numRuns: 40 },
    );
    expect(troubles).toEqual([]);
  });
});

describe('the history', () => {
  it('answers what waits now out of the same fold, while it has it', async () => {
    const { log: whole } = await busyOffice(9, 60);
    const log = new MemoryLog(whole.bodies);
    const live = new LiveAgenda();
    expect(live.queueAt(birth, 5)).toBeUndefined();
    const following = keepHistory({ log, directory, onTrouble, live, every: 40 }).subscribe();
    for (const { stream, revision, position, ...event } of await whole.readAll({ limit: 1e4 })) {
      await log.append(stream, revision - 1, [event]);
      if (position % 9 > 0) continue;
      await live.upTo(position);
      await until(() => live.queueAt(event.at, 5) !== undefined, 'the agenda');
      const past = await openPast({ log, directory: '/nowhere' }).queueAt({ position }, 5);
      expect(live.queueAt(event.at, 5)).toEqual({ ...past, now: event.at });
    }
    following.unsubscribe();
    expect(live.queueAt(birth, 5)).toBeUndefined();
  });

  it('goes on after a stop where the last mark is, and has the same marks as one that never stopped', async () => {
    const { log } = await busyOffice(5, 80);
    await keep(log);
    const whole = marks();
    for (const name of whole.slice(whole.length / 2)) rmSync(join(directory, name));
    let first: number | undefined;
    const asked = new FaultyLog(log);
    asked.readAll = (wanted) => {
      if (wanted.limit > 1) first ??= wanted.after;
      return log.readAll(wanted);
    };
    await keep(asked);
    expect(first).toBeGreaterThan(0);
    expect(marks().map((name) => name.slice(0, 31))).toEqual(
      whole.map((name) => name.slice(0, 31)),
    );
    expect(troubles).toEqual([]);
  });

  it('lets go of a long queue while nothing happens, and leaves the same marks as if it had not', async () => {
    const { log: whole, records } = await busyOffice(7, 60);
    await keep(whole);
    const wanted = marks();
    rmSync(directory, { recursive: true });
    const log = new MemoryLog(whole.bodies);
    const asked = new FaultyLog(log);
    let subscriptions = 0;
    asked.subscribe = (from) => {
      subscriptions += 1;
      return log.subscribe(from);
    };
    const idle = { every: 4, bytesPerEvent: 1e6, forgetBytes: 0, idleMs: 1 };
    const states: number[] = [];
    const following = keepHistory({ log: asked, directory, onTrouble, ...idle }).subscribe(
      ({ position }) => states.push(position),
    );
    for (const { stream, revision, position, ...event } of await whole.readAll({ limit: 1e4 })) {
      await log.append(stream, revision - 1, [event]);
      if (position % 25 === 0) await until(() => states.at(-1) === position, 'its place');
      if (position % 25 === 0) await sleep(5);
    }
    await until(async () => states.at(-1) === (await log.head()), 'the end');
    following.unsubscribe();
    // One to follow and one to wait, each time.
    expect(subscriptions).toBeGreaterThan(8);
    expect(marks().map((name) => name.slice(0, 31))).toEqual(
      wanted.map((name) => name.slice(0, 31)),
    );
    await agree(log, records, 7);
    expect(troubles).toEqual([]);
  });

  it('throws away, and says so, what a new mark could not follow', async () => {
    const { log, records } = await busyOffice(6, 60);
    await keep(log);
    const names = marks();
    writeFileSync(join(directory, names[3]!), 'rubbish');
    await keep(log);
    expect(troubles.filter((words) => words.includes('is removed'))).toHaveLength(names.length - 3);
    expect(marks().length).toBeGreaterThan(names.length - 3);
    troubles.length = 0;
    await agree(log, records, 6);
    expect(troubles).toEqual([]);
  });

  it('takes no more of the disk than it may', async () => {
    const { log } = await busyOffice(7, 150);
    const events = await log.head();
    await keep(log, { bytesPerEvent: 20 });
    const size = marks().reduce((sum, name) => sum + readFileSync(join(directory, name)).length, 0);
    expect(size).toBeLessThanOrEqual(20 * events + 1_500);
    expect(marks().length).toBeGreaterThan(1);
  });

  it('goes on without marks where none can be written, and says so', async () => {
    const { log } = await busyOffice(8, 40);
    writeFileSync(directory, 'in the way');
    const state = await keep(log, { directory: join(directory, 'past') });
    expect(state).toMatchObject({ position: await log.head(), marked: 0 });
    expect(troubles[0]).toMatch(/cannot be read \(not a directory\)/);
    expect(troubles[1]).toMatch(/^no mark at event \d+: not a directory/);
  });
});
