/** The identical call again and again: for how long, and for whom. The clock is the test's. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Caller } from '../../../src/log/kurrentdb/connection.ts';
import { surely, type Outage, type Patience } from '../../../src/log/kurrentdb/surely.ts';
import { NoAnswer } from '../../../src/log/kurrentdb/what-went-wrong.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const now = () => performance.now();

/** Answers from that moment on, and before it in no way. */
const silentUntil = (moment: number): Caller => ({
  async call<T>(what: string, limitMs: number): Promise<T> {
    if (now() >= moment) return 'an answer' as T;
    await new Promise((resolve) => setTimeout(resolve, limitMs));
    throw new NoAnswer(what, limitMs);
  },
});

/** When it ended, and how. */
const ask = async (caller: Caller, patience: Patience) => {
  const how = await surely(caller, 'a question', patience, async () => 'an answer').catch(
    () => 'no answer',
  );
  return { how, at: now() };
};

describe('a call that is not answered', () => {
  const patience = { limitMs: 150, patienceMs: 15_000 };
  /** The last pause may be half as long again as it was meant to be, and the last try takes its time. */
  const lateMs = 500 + 150;

  it('is asked again until it is', async () => {
    const start = now();
    const asked = ask(silentUntil(start + 9_000), patience);
    await pass(15_000);
    const { how, at } = await asked;
    expect([how, at - start <= 9_000 + 150 + 1_500]).toEqual(['an answer', true]);
  });

  it('is given up by all at the end of one patience, not of one each', async () => {
    const outage: Outage = { since: undefined };
    const start = now();
    const away = silentUntil(Infinity);
    const first = ask(away, { ...patience, outage });
    await pass(9_000);
    const second = ask(away, { ...patience, outage });
    await pass(20_000);
    for (const { how, at } of [await first, await second]) {
      expect([how, at - start <= 15_000 + lateMs]).toEqual(['no answer', true]);
    }
  });

  it('is given two seconds however long the outage has lasted, and the first answer ends it for all', async () => {
    const outage: Outage = { since: now() - 3_600_000 };
    const start = now();
    const early = ask(silentUntil(start + 1_000), { ...patience, outage });
    const late = ask(silentUntil(start + 4_000), { ...patience, outage: { ...outage } });
    await pass(15_000);
    expect(await early).toMatchObject({ how: 'an answer' });
    expect(outage.since).toBeUndefined();
    const { how, at } = await late;
    expect([how, at - start <= 2_000 + lateMs]).toEqual(['no answer', true]);
  });
});
