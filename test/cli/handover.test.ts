import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { toAnswering, toPipe } from '../../src/cli/handover.ts';

const page = (first: number, last: number, bytes: number) => ({
  position: last,
  printed: Array.from({ length: last - first + 1 }, (_, n) => first + n),
  bytes,
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('what went into a pipe', () => {
  it('is handled when a MiB of later lines was taken', async () => {
    const told: number[] = [];
    const handover = toPipe((position) => told.push(position));
    for (let n = 1; n <= 5; n += 1) await handover.page(page(n, n, 400 * 1024));
    expect(told).toEqual([1, 2]);
  });

  it('is handled at once where nothing was printed', async () => {
    const told: number[] = [];
    const handover = toPipe((position) => told.push(position));
    await handover.page({ position: 500, printed: [], bytes: 0 });
    expect(told).toEqual([500]);
  });
});

describe('what somebody answers for', () => {
  function open() {
    const told: number[] = [];
    const answers = new PassThrough();
    const handover = toAnswering((position) => told.push(position), answers);
    const hand = (handed: ReturnType<typeof page>) => {
      handover.leaving(handed);
      return handover.page(handed);
    };
    return { told, answers, handover, hand };
  }

  it('may be answered before its page has left us altogether', async () => {
    const { told, answers, handover } = open();
    handover.leaving(page(1, 3, 100));
    answers.write('2\n');
    await turn();
    expect(told).toEqual([2]);
  });

  it('takes what was not wanted along with the last answer', async () => {
    const { told, answers, handover, hand } = open();
    await hand({ ...page(1, 3, 100), position: 10 });
    answers.write('3\n');
    await handover.settled();
    expect(told).toEqual([10]);
  });

  it('pauses while ten thousand answers are owed', async () => {
    const { answers, hand } = open();
    let went = false;
    const going = hand(page(1, 10_000, 100)).then(() => (went = true));
    await turn();
    expect(went).toBe(false);
    answers.write('1\n');
    await going;
    expect(went).toBe(true);
  });

  it('is over when nobody answers any more, or answers nonsense', async () => {
    const gone = open();
    gone.answers.end();
    await gone.hand(page(1, 10_000, 100));
    expect(gone.handover.over).toBe(true);
    const wrong = open();
    wrong.answers.write('11\n');
    await turn();
    await expect(wrong.hand(page(1, 10, 100))).rejects.toMatchObject({ code: 'refused' });
  });
});
