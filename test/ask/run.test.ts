import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, take, toArray } from 'rxjs';
import { toGiven } from '../../src/ask/given.ts';
import { follow } from '../../src/ask/follow.ts';
import type { Happening, Question } from '../../src/ask/ports.ts';
import { answerBefore } from '../../src/ask/restore.ts';
import { answerOf, parkedWords, startRun } from '../../src/ask/run.ts';
import { walk } from '../../src/ask/walk.ts';
import { toLines, toValues } from '../../src/ask/words.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import * as mail from '../support/queue-mail.ts';
import { idEnding } from '../trace/recorded.ts';

let log = new MemoryLog();
afterEach(async () => {
  await log.close();
  log = new MemoryLog();
});

/** Letters of two events each, a minute apart. */
async function receive(count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n += 1) {
    const events = mail
      .letter(`rcpt${n}@b.test`)
      .map((event) => ({ ...event, at: mail.age(60 * n) }));
    await log.append(`message-${idEnding(String(n).padStart(4, '0'))}`, -1, events);
  }
}

/** Counts events in place; what it does with one of them is up to the test. */
const counting = (
  more: Partial<Question<{ seen: number[] }>> = {},
  at: (event: Happening) => void = () => undefined,
) => ({
  name: 'counting',
  question: {
    ...{ title: 'Counts', about: 'a test', bounds: 'nothing' },
    empty: () => ({ seen: [] }),
    fold(view: { seen: number[] }, event: Happening) {
      view.seen.push(event.position);
      at(event);
      return view;
    },
    answer: ({ seen }) => ({ kind: 'lines', lines: [seen.join(' ')] }),
    ...more,
  } satisfies Question<{ seen: number[] }>,
});

const seenBy = (run: ReturnType<typeof startRun>) => (run.view as { seen: number[] }).seen;

describe('a question', () => {
  it('hears every event once, in order, or only those it wants', async () => {
    await receive(3);
    const all = startRun(counting(), {});
    const some = startRun(counting({ hears: ['MessageQueued'] }), {});
    expect(await walk(log, [all, some])).toMatchObject({ position: 6 });
    expect([seenBy(all), seenBy(some)]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 4, 6],
    ]);
    expect(some.position).toBe(6);
  });

  it('is answered as of a position, that event included, or as of an instant', async () => {
    await receive(3);
    const upTo = async (place: Parameters<typeof walk>[2]) => {
      const run = startRun(counting(), {});
      await walk(log, [run], place);
      return seenBy(run);
    };
    expect(await upTo({ upTo: { position: 3 } })).toEqual([1, 2, 3]);
    expect(await upTo({ upTo: { at: mail.age(60) } })).toEqual([1, 2, 3, 4]);
    expect(await upTo({ upTo: { at: mail.age(59) } })).toEqual([1, 2]);
    expect(await upTo({ upTo: { position: 0 } })).toEqual([]);
  });

  it('counts from an instant on, and hears what was before only when it must learn', async () => {
    await receive(3);
    const since = mail.age(60);
    const plain = startRun(counting(), { since });
    const learning = startRun(counting({ learns: true }), { since });
    await walk(log, [plain, learning]);
    expect([seenBy(plain).length, seenBy(learning).length]).toEqual([4, 6]);
  });

  it('that is about one letter reads that letter only', async () => {
    await receive(3);
    const stream = `message-${idEnding('0001')}`;
    const run = startRun(counting({ streamOf: () => stream }), {});
    await walk(log, [run]);
    expect(seenBy(run)).toEqual([3, 4]);
  });
});

describe('a question that throws', () => {
  const throwsAt = (position: number) =>
    counting({}, (event) => {
      if (event.position === position) throw new TypeError('what is this?');
    });

  it('is parked with its event, says where in its code, and stops nobody else', async () => {
    await receive(3);
    const bad = startRun(throwsAt(4), {});
    const good = startRun(counting(), {});
    await walk(log, [bad, good]);
    expect(seenBy(good)).toHaveLength(6);
    expect(bad.parked).toMatchObject({
      event: { position: 4, revision: 1, type: 'MessageQueued' },
      error: 'TypeError: what is this?',
      where: expect.stringMatching(/run\.test\.ts:\d+:\d+$/),
    });
    expect(parkedWords(bad, bad.parked!)).toMatch(/parked at event 4 .* up to event 3 it took/);
  });

  it('later, in a promise, is parked before that', async () => {
    await receive(1);
    const later = (async () => {
      throw new Error('later');
    }) as () => never;
    const run = startRun({ ...counting(), question: { ...counting().question, fold: later } }, {});
    await walk(log, [run]);
    expect(run.parked).toMatchObject({
      event: { position: 1 },
      error: expect.stringContaining('not be async'),
    });
  });

  it('keeps the answer that it had before, though its view is half-changed', async () => {
    await receive(3);
    const run = startRun(throwsAt(4), {});
    await walk(log, [run]);
    expect(seenBy(run)).toEqual([1, 2, 3, 4]);
    expect(await answerBefore(log, run, 0)).toEqual({ kind: 'lines', lines: ['1 2 3'] });
  });

  it('in its answer keeps the last one that it gave', async () => {
    await receive(1);
    const broken = counting({
      answer: ({ seen }) => {
        if (seen.length > 2) throw new Error('too many');
        return { kind: 'lines', lines: [`${seen.length}`] };
      },
    });
    const run = startRun(broken, {});
    await walk(log, [run]);
    expect(answerOf(run, 0)).toMatchObject({ lines: ['2'] });
    await receive(1, 1);
    await walk(log, [run], { after: 2 });
    expect(answerOf(run, 0)).toMatchObject({ lines: ['2'] });
    expect(run.parked).toMatchObject({ error: 'Error: too many' });
  });

  it('or never ends is parked, and the others go on', async () => {
    await receive(3);
    const endless = startRun(
      counting({}, ({ position }) => {
        while (position === 3);
      }),
      {},
    );
    const [before, after] = [startRun(counting(), {}), startRun(counting(), {})];
    await walk(log, [before, endless, after], { limitMs: 200 });
    expect(endless.parked).toMatchObject({
      event: { position: 3 },
      error: expect.stringContaining('0.2 s'),
    });
    expect([seenBy(before), seenBy(after)]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6],
    ]);
  });

  it('cannot give what is no answer', async () => {
    const run = startRun(counting({ answer: () => 'seven' as never }), {});
    expect(answerOf(run, 0)).toBeUndefined();
    expect(run.parked?.error).toContain('answer() must give');
  });
});

describe('a question that is followed', () => {
  it('knows the past first, then every event as it comes', async () => {
    await receive(2);
    const run = startRun(counting(), {});
    const told = firstValueFrom(follow({ log, runs: [run], everyMs: 1 }).pipe(take(2), toArray()));
    await new Promise((resolve) => setImmediate(resolve));
    await receive(1, 2);
    expect(await told).toEqual([4, 6]);
    expect(seenBy(run)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('options', () => {
  const { question } = counting({
    options: {
      every: { kind: 'span', about: 'how long', default: '1h' },
      most: { kind: 'number', about: 'how many' },
      by: { kind: ['day', 'hour'], about: 'by what' },
      all: { kind: 'flag', about: 'all of it' },
      id: { kind: 'text', about: 'which', required: true },
    },
  });

  it('are read as the question declares them, defaults included', () => {
    expect(
      toGiven(question, { id: 'x', most: '7', by: 'day', all: 'true', every: '1h30min' }),
    ).toEqual({
      ...{ id: 'x', most: 7, by: 'day', all: true, every: 5_400_000 },
    });
    expect(toGiven(question, { id: 'x' }, 5)).toEqual({ id: 'x', every: 3_600_000, since: 5 });
  });

  it.each([
    [{}, 'id is needed'],
    [{ id: 'x', most: '-1' }, 'most must be a whole number'],
    [{ id: 'x', every: 'soon' }, 'every must be a span'],
    [{ id: 'x', every: '0s' }, 'every must be longer'],
    [{ id: 'x', by: 'year' }, 'by must be one of day, hour'],
    [{ id: 'x', constructor: '1' }, 'no option constructor'],
  ])('that make no sense are refused: %j', (texts, words) => {
    expect(() => toGiven(question, texts as Record<string, string>)).toThrow(words);
  });
});

describe('an answer', () => {
  const answer = {
    kind: 'table' as const,
    columns: [
      { name: 'n', format: 'count' as const },
      { name: 'at', format: 'instant' as const },
      { name: 'who' },
    ],
    rows: [
      [1, mail.birth, '<a\u001b[2J\nb>'],
      [1_000_000, undefined, 'c'],
    ],
  };

  it("is aligned, and no stranger's byte is shown as it is", () => {
    expect(toLines(answer)).toEqual([
      '      n  at                    who',
      '      1  2026-01-01T00:00:00Z  <a?[2J b>',
      '1000000  -                     c',
    ]);
  });

  it('is a value per row as JSON', () => {
    expect(toValues(answer)[1]).toEqual({ n: 1_000_000, at: null, who: 'c' });
    expect(toValues({ kind: 'lines', lines: ['x'] })).toEqual([{ line: 'x' }]);
  });
});
