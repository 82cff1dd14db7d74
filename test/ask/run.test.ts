import { afterEach, describe, expect, it } from '@jest/globals';
import type { Asking } from '../../src/ask/asking.ts';
import { toGiven } from '../../src/ask/given.ts';
import { parkedWords } from '../../src/ask/parked.ts';
import type { Answer, Happening, Question } from '../../src/ask/ports.ts';
import { answerBefore } from '../../src/ask/restore.ts';
import { walk } from '../../src/ask/walk.ts';
import { toLines, toValues } from '../../src/ask/words.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import * as mail from '../support/queue-mail.ts';
import { idEnding } from '../trace/recorded.ts';
import { asked } from './in-process.ts';

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

type Seen = { seen: number[] };

/** Counts events in place; what it does with one of them is up to the test. */
const counting = (
  more: Partial<Question<Seen>> = {},
  at: (event: Happening) => void = () => undefined,
): Question<Seen> => ({
  ...{ title: 'Counts', about: 'a test', bounds: 'nothing' },
  empty: () => ({ seen: [] }),
  fold(view, event) {
    view.seen.push(event.position);
    at(event);
    return view;
  },
  answer: ({ seen }) => ({ kind: 'lines', lines: [seen.join(' ')] }),
  ...more,
});

const lines = (answer: Answer | undefined): string =>
  answer?.kind === 'lines' ? answer.lines.join('\n') : 'none';

const seenBy = async (asking: Asking): Promise<string> => lines(await asking.answer(0));

describe('a question', () => {
  it('hears every event once, in order, or only those it wants', async () => {
    await receive(3);
    const all = await asked(counting());
    const some = await asked(counting({ hears: ['MessageQueued'] }));
    expect(await walk(log, all)).toMatchObject({ position: 6 });
    await walk(log, some);
    expect([await seenBy(all), await seenBy(some)]).toEqual(['1 2 3 4 5 6', '2 4 6']);
    expect(some.position).toBe(6);
  });

  it('hears every event once over many pages, some of which have nothing for it', async () => {
    await receive(3);
    const [event] = await log.readAll({ limit: 1 });
    const pages = async ({ after = 0 }) =>
      Array.from({ length: Math.min(2_000, 9_000 - after) }, (_, index) => {
        const position = after + index + 1;
        const isHeard = position <= 2_000 || position > 6_000;
        return { ...event!, position, type: isHeard ? 'MessageQueued' : 'MessageHeld' };
      });
    const source = { readAll: pages, head: async () => 9_000, readStream: async () => [] };
    const some = await asked(counting({ hears: ['MessageQueued'] }));
    await walk(source, some);
    const seen = (await seenBy(some)).split(' ').map(Number);
    expect([seen.length, seen[1_999], seen[2_000], some.position]).toEqual([
      5_000, 2_000, 6_001, 9_000,
    ]);
  });

  it('is answered as of a position, that event included, or as of an instant', async () => {
    await receive(3);
    const upTo = async (place: Parameters<typeof walk>[2]) => {
      const asking = await asked(counting());
      await walk(log, asking, place);
      return seenBy(asking);
    };
    expect(await upTo({ upTo: { position: 3 } })).toBe('1 2 3');
    expect(await upTo({ upTo: { at: mail.age(60) } })).toBe('1 2 3 4');
    expect(await upTo({ upTo: { at: mail.age(59) } })).toBe('1 2');
    expect(await upTo({ upTo: { position: 0 } })).toBe('');
  });

  it('counts from an instant on, and hears what was before only when it must learn', async () => {
    await receive(3);
    const since = mail.age(60);
    const plain = await asked(counting(), { since });
    const learning = await asked(counting({ learns: true }), { since });
    await walk(log, plain);
    await walk(log, learning);
    expect([await seenBy(plain), await seenBy(learning)]).toEqual(['3 4 5 6', '1 2 3 4 5 6']);
  });

  it('that is about one letter reads that letter only', async () => {
    await receive(3);
    const stream = `message-${idEnding('0001')}`;
    const asking = await asked(counting({ streamOf: () => stream }));
    await walk(log, asking);
    expect(await seenBy(asking)).toBe('3 4');
  });

  it('that goes line by line is heard in the order of the events', async () => {
    await receive(3);
    const { answer: _answer, ...question } = counting();
    const asking = await asked({
      ...question,
      said: ({ seen }: Seen) => [`after ${String(seen.at(-1))}`],
    });
    const said: string[] = [];
    await walk(log, asking, { onLines: (told) => said.push(...told) });
    expect(said).toEqual([1, 2, 3, 4, 5, 6].map((position) => `after ${position}`));
  });
});

describe('a question that throws', () => {
  const throwsAt = (position: number) =>
    counting({}, (event) => {
      if (event.position === position) throw new TypeError('what is this?');
    });

  it('is parked with its event, and says where in its code', async () => {
    await receive(3);
    const bad = await asked(throwsAt(4));
    await walk(log, bad);
    expect(bad.parked).toMatchObject({
      ...{ during: 'fold', error: 'TypeError: what is this?' },
      event: { position: 4, revision: 1, type: 'MessageQueued' },
      where: expect.stringMatching(/run\.test\.ts:\d+:\d+$/),
    });
    expect(parkedWords('bad', bad.position, bad.parked!)).toMatch(
      /the question bad failed at event 4 .* up to event 3 it took/,
    );
  });

  it('later, in a promise, is parked before that', async () => {
    await receive(1);
    const later = (async () => {
      throw new Error('later');
    }) as () => never;
    const asking = await asked(counting({ fold: later }));
    await walk(log, asking);
    expect(asking.parked).toMatchObject({
      event: { position: 1 },
      error: expect.stringContaining('not be async'),
    });
  });

  it('keeps the answer that it had before, though its view is half-changed', async () => {
    await receive(3);
    const asking = await asked(throwsAt(4));
    await walk(log, asking);
    expect(await answerBefore(log, asking, 0)).toEqual({ kind: 'lines', lines: ['1 2 3'] });
  });

  it('in its answer keeps the last one that it gave', async () => {
    await receive(1);
    const broken = counting({
      answer: ({ seen }) => {
        if (seen.length > 2) throw new Error('too many');
        return { kind: 'lines', lines: [`${seen.length}`] };
      },
    });
    const asking = await asked(broken);
    await walk(log, asking);
    expect(await asking.answer(0)).toMatchObject({ lines: ['2'] });
    await receive(1, 1);
    await walk(log, asking, { after: 2 });
    expect(await asking.answer(0)).toMatchObject({ lines: ['2'] });
    expect(asking.parked).toMatchObject({ during: 'answer', error: 'Error: too many' });
    expect(await answerBefore(log, asking, 0)).toMatchObject({ lines: ['2'] });
  });

  it.each([
    ['never ends', () => { for (;;); }], // prettier-ignore
    ['takes too long', () => { for (const end = performance.now() + 450; performance.now() < end;); }], // prettier-ignore
  ])('or %s is parked with its event', async (_, work) => {
    await receive(3);
    const slow = await asked(
      counting({}, ({ position }) => {
        if (position === 3) work();
      }),
      {},
      'slow',
      400,
    );
    await walk(log, slow);
    expect(slow.parked).toMatchObject({
      ...{ event: { position: 3 }, error: 'too slow: it took longer than 0.4 s' },
    });
  });

  it.each([
    ['seven', /must give/],
    [undefined, /must give/],
    [Promise.resolve(), /must give/],
    [{ kind: 'lines', lines: [7] }, /must give/],
    [{ kind: 'table', columns: [{}], rows: [] }, /a column that has no name/],
    [{ kind: 'table', columns: [{ name: 'a', format: 'x' }], rows: [] }, /an unknown format/],
    [{ kind: 'table', columns: [], rows: [7] }, /list of cells/],
    [{ kind: 'table', columns: [], rows: [[{}]] }, /neither a text nor a number: object/],
    [{ kind: 'table', columns: [], rows: [[1n]] }, /neither a text nor a number: bigint/],
    [{ kind: 'table', columns: [], rows: [], notes: 'x' }, /notes as a list/],
  ])('cannot give what is no answer: %p', async (given, words) => {
    const asking = await asked(counting({ answer: () => given as never }));
    expect(await asking.answer(0)).toBeUndefined();
    expect(asking.parked?.error).toMatch(words);
  });

  it('may leave cells out, also through a pipe', async () => {
    const rows = [
      [1, undefined],
      [2, null as never],
    ];
    const asking = await asked(counting({ answer: () => ({ kind: 'table', columns: [], rows }) }));
    expect(await asking.answer(0)).toMatchObject({
      rows: [
        [1, undefined],
        [2, undefined],
      ],
    });
  });
});

describe('options', () => {
  const question = counting({
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
