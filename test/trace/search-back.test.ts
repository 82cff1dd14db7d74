/** A walk from the end finds what the letters' stories say, the youngest letter first, on each engine. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { EventLog, RecordedEvent } from '../../src/log/ports.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { searchBack, type SearchBack } from '../../src/trace/search-back.ts';
import { answerOf, type Found, type Question } from '../../src/trace/search.ts';
import { openStandIn } from '../support/kurrent/open.ts';
import { chooser, shuffle } from '../views/mailbag.ts';
import { openOffice, type Office } from './office.ts';

let office: Office;
let ids: MessageId[];
beforeEach(async () => {
  office = await openOffice();
  ids = [];
});
afterEach(() => office.remove());

async function walked(log: EventLog, question: Question, more: SearchBack = {}) {
  const found: Found[] = [];
  for await (const page of searchBack(log, question, more)) found.push(...page);
  return found;
}

const allEvents = (): Promise<readonly RecordedEvent[]> => office.log.readAll({ limit: 100_000 });

function expected(events: readonly RecordedEvent[], question: Question) {
  const stories = Map.groupBy(events, ({ stream }) => stream);
  return [...stories.values()].flatMap((story) => answerOf(story, question) ?? []).reverse();
}

const questions = (middle: number): readonly Question[] => [
  ...([{}, { status: 'waiting' }, { status: 'done' }, { sender: '<>' }] satisfies Question[]),
  ...([{ recipient: '*@b.test', status: 'failed' }, { reply: 'greylisted' }] satisfies Question[]),
  ...[{ since: middle }, { until: middle }, { since: middle - 900_000, until: middle }],
];

/** The same events, on another engine. */
async function copyTo(log: EventLog): Promise<void> {
  for (const { stream, revision, type, v, at, data } of await allEvents())
    await log.append(stream, revision - 1, [{ type, v, at, data }]);
}

describe('a search from the end of the log', () => {
  it.each([1, 2])(
    'finds what the stories say, however little it may keep in mind (mail %i)',
    async (seed) => {
      const begin = office.clock.now();
      await shuffle(office, ids, 120, chooser(seed));
      const middle = (begin + office.clock.now()) / 2;
      const events = await allEvents();
      for (const question of questions(middle)) {
        const stories = expected(events, question);
        for (const maxHeld of [1, 7, 200_000])
          expect(await walked(office.log, question, { maxHeld })).toEqual(stories);
      }
      expect(expected(events, { since: middle }).length).toBeGreaterThan(3);
    },
  );

  it('goes further back from any letter, and tells how it stands today', async () => {
    await shuffle(office, ids, 120, chooser(3));
    const events = await allEvents();
    for (const id of [ids[0]!, ids[Math.floor(ids.length / 2)]!, ids.at(-1)!]) {
      const before = events.find(({ stream }) => stream === `message-${id}`)!.position;
      const older = expected(events, {}).filter(({ message }) => message < id);
      expect(await walked(office.log, {}, { before })).toEqual(older);
    }
  });

  it('says the same in memory and in an event store', async () => {
    await shuffle(office, ids, 60, chooser(4));
    const stories = expected(await allEvents(), {});
    const memory = new MemoryLog();
    await copyTo(memory);
    expect(await walked(memory, {})).toEqual(stories);

    const store = await openStandIn();
    try {
      await copyTo(store.log);
      expect(await walked(store.log, {}, { maxHeld: 5 })).toEqual(stories);
      const before = (await store.log.readStream(`message-${ids.at(-1)!}`))[0]!.position;
      expect(await walked(store.log, {}, { before })).toEqual(stories.slice(1));
    } finally {
      await store.close();
    }
  });

  it('tells each of 300 letters of one instant, pages of the log apart', async () => {
    for (let letter = 0; letter < 300; letter += 1) ids.push(await office.accept(['bob@b.test']));
    await fill();
    for (const id of ids) await office.do(id, { ...hand, type: 'Hold' });
    const found = await walked(office.log, { status: 'held' });
    expect(found.map(({ message }) => message)).toEqual(ids.toReversed());
  });

  it('needs no more of the log than what it is asked for', async () => {
    await shuffle(office, ids, 40, chooser(5));
    await fill();
    const young = await office.accept(['zoe@c.test']);
    const asked: number[] = [];
    const counting: EventLog = Object.create(office.log, {
      readAll: {
        value: (options: Parameters<EventLog['readAll']>[0]) => {
          asked.push(options.limit);
          return office.log.readAll(options);
        },
      },
    }) as EventLog;
    for await (const page of searchBack(counting, {}))
      if (page.some(({ message }) => message === young)) break;
    expect(asked).toHaveLength(1);
  });
});

const hand = { by: 'ann', why: 'a test', at: 0 };

/** More than a page of events that are no letter's. */
async function fill(): Promise<void> {
  const told = { type: 'Told', v: 1, at: office.clock.now(), data: {} };
  await office.log.append('x-1', -1, Array<typeof told>(3_000).fill(told));
}
