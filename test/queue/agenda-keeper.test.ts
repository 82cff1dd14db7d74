import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { throwError } from 'rxjs';
import { encodeAgenda } from '../../projections/agenda-checkpoint.ts';
import { empty, fold } from '../../projections/agenda.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import {
  keepAgenda,
  type AgendaKeeper,
  type KeeperOptions,
} from '../../src/queue/agenda-keeper.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { viewOf } from '../support/agenda-view.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { everything, settle } from '../support/post-office.ts';
import { accept, birth, body, byHand, start, verdict } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';
import { canMountTmpfs, tmpfsAt } from '../support/small-disk.ts';

const ann = 'ann@a.test';
const withTmpfs = canMountTmpfs() ? it : it.skip;

let directory: string;
let file: string;
let log: MemoryLog;
const stops: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agenda-'));
  file = join(directory, 'agenda');
  log = new MemoryLog();
});

afterEach(() => {
  stops.splice(0).forEach((stop) => stop());
  rmSync(directory, { recursive: true });
});

/** How many events it folded to catch up is told by the first position that it asks for. */
async function keep(options: Partial<KeeperOptions> = {}) {
  const thrown: string[] = [];
  const asked: number[] = [];
  const from = new FaultyLog(log);
  from.subscribe = (position) => {
    asked.push(position);
    return log.subscribe(position);
  };
  const keeper = keepAgenda({
    log: from,
    file,
    onThrownAway: (why) => thrown.push(why),
    ...options,
  });
  const subscription = keeper.follow$.subscribe();
  stops.push(() => subscription.unsubscribe());
  await keeper.caughtUp;
  return { keeper, thrown, asked };
}

async function post(count: number, from = 1): Promise<void> {
  const letters = openLetters({ log });
  for (let no = from; no < from + count; no += 1) await letters.handle(idOf(no), accept(ann));
  await settle(3);
}

const refolded = async () => viewOf((await everything(log)).reduce(fold, empty()));
const expectWhole = async (keeper: AgendaKeeper) =>
  expect(viewOf(keeper.agenda)).toEqual(await refolded());

describe('the agenda', () => {
  it('says when it has caught up, and how many events that took', async () => {
    await post(3);
    const caughtUp: number[] = [];
    const { keeper } = await keep({ onCaughtUp: (events) => caughtUp.push(events) });
    await post(2, 4);
    expect(caughtUp).toEqual([6]);
    await keeper.checkpoint(true);
    await keep({ onCaughtUp: (events) => caughtUp.push(events) });
    expect(caughtUp).toEqual([6, 0]);
  });

  it('is what the log says, and follows it', async () => {
    await post(3);
    const { keeper, asked } = await keep();
    await expectWhole(keeper);
    await post(2, 4);
    await expectWhole(keeper);
    expect([asked, keeper.position]).toEqual([[0], 10]);
  });

  it('of an empty log is empty and caught up', async () => {
    const { keeper, thrown } = await keep();
    expect([keeper.agenda.rows.letters, keeper.position, thrown]).toEqual([0, 0, []]);
  });

  it('goes on from its checkpoint', async () => {
    await post(3);
    const first = await keep();
    await first.keeper.checkpoint(true);
    await post(2, 4);
    const second = await keep();
    expect([second.asked, second.thrown]).toEqual([[6], []]);
    await expectWhole(second.keeper);
  });

  it('says when the log fails', async () => {
    const failing = new FaultyLog(log);
    failing.subscribe = () => throwError(() => new Error('gone'));
    const keeper = keepAgenda({ log: failing });
    await expect(
      new Promise((_, reject) => keeper.follow$.subscribe({ error: reject })),
    ).rejects.toThrow('gone');
  });
});

describe('a checkpoint', () => {
  it('is written when enough has happened, or when told to, and not for nothing', async () => {
    await post(3);
    const { keeper } = await keep({ every: 8 });
    await keeper.checkpoint();
    expect(existsSync(file)).toBe(false);
    await post(1, 4);
    await keeper.checkpoint();
    const written = readFileSync(file);
    rmSync(file);
    await keeper.checkpoint(true);
    expect(existsSync(file)).toBe(false);
    await post(1, 5);
    await keeper.checkpoint(true);
    expect(readFileSync(file).equals(written)).toBe(false);
    expect(readdirSync(directory)).toEqual(['agenda']);
  });

  it('that could not be written is written the next time', async () => {
    const elsewhere = join(directory, 'nowhere', 'agenda');
    await post(3);
    const { keeper } = await keep({ file: elsewhere });
    await expect(keeper.checkpoint(true)).rejects.toThrow('ENOENT');
    await expect(keeper.checkpoint(true)).rejects.toThrow('ENOENT');
  });

  it('is written by one at a time', async () => {
    await post(3);
    const { keeper } = await keep({ every: 1 });
    await Promise.all([keeper.checkpoint(), keeper.checkpoint(true), keeper.checkpoint(true)]);
    const { thrown, asked } = await keep();
    expect([thrown, asked]).toEqual([[], [6]]);
  });

  it.each([
    ['damaged', () => writeFileSync(file, readFileSync(file).fill(0, 40, 44))],
    ['cut short', () => writeFileSync(file, readFileSync(file).subarray(0, -1))],
    ['empty', () => writeFileSync(file, '')],
    ['something else', () => writeFileSync(file, '{"fingerprint":"agenda 1","position":"x"}\n')],
  ])('that is %s is thrown away, aloud, and all is folded again', async (_, spoil) => {
    await post(3);
    const first = await keep();
    await first.keeper.checkpoint(true);
    spoil();
    const { keeper, thrown, asked } = await keep();
    expect([thrown.length, asked]).toEqual([1, [0]]);
    await expectWhole(keeper);
  });

  it.each([
    ['a shorter log', 1, birth],
    ['a log where another event stands there', 9, birth],
    ['a log where the same stands there at another time', 3, birth + 1],
  ])('of %s is thrown away', async (_, letters, at) => {
    const other = encodeAgenda(empty(), {
      ...{ position: 6, stream: `message-${idOf(3)}`, revision: 1, at },
    });
    writeFileSync(file, Buffer.concat(other));
    await post(letters, letters === 9 ? 20 : 1);
    const { keeper, thrown, asked } = await keep();
    expect([thrown, asked]).toEqual([['the checkpoint is of another release or another log'], [0]]);
    await expectWhole(keeper);
  });

  withTmpfs('that a full disk does not take leaves the old one, and no crumbs', async () => {
    const disk = tmpfsAt(join(directory, 'disk'), 'size=1m');
    try {
      file = join(disk.path, 'agenda');
      await post(3);
      const { keeper } = await keep();
      await keeper.checkpoint(true);
      const old = readFileSync(file);
      await post(500, 4);
      await settle(3);
      disk.fill();
      await expect(keeper.checkpoint(true)).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(readdirSync(disk.path).sort()).toEqual(['agenda', 'ballast']);
      expect(readFileSync(file)).toEqual(old);
      disk.free();
      await keeper.checkpoint(true);
      expect((await keep()).asked).toEqual([keeper.position]);
    } finally {
      disk.unmount();
    }
  });

  it('is not kept where no file is named', async () => {
    await post(1);
    const keeper = keepAgenda({ log });
    const subscription = keeper.follow$.subscribe();
    await keeper.caughtUp;
    await keeper.checkpoint(true);
    expect(readdirSync(directory)).toEqual([]);
    subscription.unsubscribe();
  });
});

describe('who listens to the agenda', () => {
  it('hears of letters that come to owe a bounce, and of bodies that may go', async () => {
    const letters = openLetters({ log });
    for (const no of [1, 2, 3]) await letters.handle(idOf(no), accept(ann));
    await letters.handle(idOf(1), start([ann]));
    await letters.handle(idOf(1), verdict('failed', 0));
    const keeper = keepAgenda({ log });
    const heard: string[] = [];
    keeper.owing$.subscribe((id) => heard.push(`owing ${id}`));
    keeper.ended$.subscribe((id) => heard.push(`ended ${id}`));
    const subscription = keeper.follow$.subscribe();
    await keeper.caughtUp;
    // From the past only by asking; what comes now is told.
    expect([heard, [...keeper.agenda.owing]]).toEqual([[], [idOf(1)]]);
    await letters.handle(idOf(2), byHand('Cancel'));
    await letters.handle(idOf(3), start([ann]));
    await letters.handle(idOf(3), verdict('failed', 0));
    await settle(3);
    expect(heard).toEqual([`ended ${body.id}`, `owing ${idOf(3)}`]);
    subscription.unsubscribe();
  });

  it('hears when everything is to be tried again, and not of wishes from before the start', async () => {
    const wish = (no: number) =>
      log.append(`node-here-${no}`, -1, [
        { type: 'RetryAllRequested', v: 1, at: birth, data: { by: 'ann', why: '' } },
      ]);
    await wish(1);
    const keeper = keepAgenda({ log });
    let heard = 0;
    keeper.retriedAll$.subscribe(() => (heard += 1));
    const subscription = keeper.follow$.subscribe();
    await keeper.caughtUp;
    expect(heard).toBe(0);
    await wish(2);
    await settle(3);
    expect(heard).toBe(1);
    subscription.unsubscribe();
  });
});
