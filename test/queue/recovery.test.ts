import { describe, expect, it } from '@jest/globals';
import { empty, fold } from '../../projections/agenda.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { Trouble } from '../../src/mail/trouble.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { resolveDoubts } from '../../src/queue/recovery.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { everything, typesOf } from '../support/post-office.ts';
import { accept, age, birth, start, verdict } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';

const ann = 'ann@a.test';
const bob = 'bob@b.test';

/** What the last process left: letter 1 untouched, 2 under way, 3 half done, 4 done. */
async function leftBehind() {
  const log = new FaultyLog(new MemoryLog());
  const before = openLetters({ log });
  for (const no of [1, 2, 3, 4]) await before.handle(idOf(no), accept(ann, bob));
  for (const no of [2, 3, 4]) await before.handle(idOf(no), start([ann]));
  await before.handle(idOf(3), start([bob], { rcpts: [1] }));
  for (const no of [3, 4]) await before.handle(idOf(no), verdict('delivered', 0));
  const agenda = (await everything(log)).reduce(fold, empty());
  const clock = new ManualClock(age(50));
  return { log, parts: { agenda, letters: openLetters({ log }), clock, policy: 'retry' as const } };
}

describe('after a start', () => {
  it('attempts that never ended are in doubt, and those only', async () => {
    const { log, parts } = await leftBehind();
    expect(await resolveDoubts(parts)).toEqual({ inDoubt: 2, unreadable: [] });
    const [, , , doubt] = await log.inner.readStream(`message-${idOf(2)}`);
    expect(doubt).toMatchObject({
      ...{ type: 'RecipientDeferred', at: age(50) },
      data: { rcpt: 0, attempt: 1, startedAt: birth, dueAt: age(50), doubt: true },
    });
    expect((await typesOf(log, idOf(3))).at(-1)).toBe('RecipientDeferred');
    expect(await typesOf(log, idOf(1))).toHaveLength(2);
    expect((await typesOf(log, idOf(4))).at(-1)).toBe('RecipientDelivered');
  });

  it('nothing is in doubt a second time', async () => {
    const { log, parts } = await leftBehind();
    await resolveDoubts(parts);
    const agenda = (await everything(log)).reduce(fold, empty());
    const before = await log.head();
    expect(await resolveDoubts({ ...parts, agenda })).toEqual({ inDoubt: 0, unreadable: [] });
    expect(await log.head()).toBe(before);
  });

  it('they are held when the operator wants to look first', async () => {
    const { log, parts } = await leftBehind();
    await resolveDoubts({ ...parts, policy: 'hold' });
    expect((await typesOf(log, idOf(2))).slice(-2)).toEqual(['RecipientDeferred', 'MessageHeld']);
  });

  it('a letter that cannot be read is named, and the others are seen to', async () => {
    const { log, parts } = await leftBehind();
    const read = log.readStream.bind(log);
    log.readStream = (stream, options) => {
      if (stream !== `message-${idOf(2)}`) return read(stream, options);
      throw new Trouble('log-damaged', { tryAgain: false, peer: 'damaged' });
    };
    expect(await resolveDoubts(parts)).toEqual({ inDoubt: 1, unreadable: [idOf(2)] });
  });

  it('a log that fails is a trouble of the start', async () => {
    const { log, parts } = await leftBehind();
    log.fault = () => 'refused';
    await expect(resolveDoubts(parts)).rejects.toMatchObject({ code: 'log-unavailable' });
  });
});
