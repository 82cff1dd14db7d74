/** Whose a letter is, as the queue lives with it. */
import { describe, expect, it } from '@jest/globals';
import { AgendaTable } from '../../projections/agenda-table.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import type { AdoptMessage } from '../../src/queue/commands.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { Scheduler } from '../../src/queue/scheduler.ts';
import { emptyAudit } from '../../src/trace/audit-books.ts';
import { closeAudit, foldAudit } from '../../src/trace/audit.ts';
import { letterFacts } from '../../src/trace/queue-rows.ts';
import { storyTeller } from '../../src/trace/story.ts';
import { asQueueEvent, idOf } from '../support/random-letters.ts';
import {
  accept,
  birth,
  hold,
  delivered,
  letter,
  release,
  start,
  started,
  verdict,
} from '../support/queue-mail.ts';
import { queue, story } from '../support/story.ts';
import { letterLog } from '../trace/recorded.ts';

const given = story(queue);
const ann = 'ann@b.test';

const of = (owner: string | undefined): QueueEvent[] => {
  const [accepted, ...rest] = letter(ann) as [
    Extract<QueueEvent, { type: 'MessageAccepted' }>,
    ...QueueEvent[],
  ];
  const data = owner === undefined ? accepted.data : { ...accepted.data, owner };
  return [{ ...accepted, data }, ...rest];
};
const adopt = (by: string, from?: string): AdoptMessage => ({
  ...{ type: 'AdoptMessage', by, from, at: birth },
});
const adopted = (by: string, from?: string): QueueEvent => ({
  ...{ type: 'MessageAdopted', v: 1, at: birth },
  data: from === undefined ? { by } : { by, from },
});

describe('a letter that has an owner', () => {
  it('is accepted in its name', () => {
    given()
      .when({ ...accept(ann), owner: 'one' })
      .then(of('one'));
  });

  it('is adopted from that owner only, and once', () => {
    given(of('one')).when(adopt('two', 'one')).then(adopted('two', 'one'));
    given(of('one')).when(adopt('two', 'three')).thenNothing();
    given(of('one'), adopted('two', 'one')).when(adopt('three', 'one')).thenNothing();
    given(of('one'), adopted('two', 'one')).when(adopt('two', 'one')).thenNothing();
  });

  it('is tried by its owner only', () => {
    const by = (node: string) => ({ ...start([ann]), by: node });
    given(of('one'))
      .when(by('one'))
      .then(started([ann]));
    given(of('one')).when(by('two')).thenNothing();
    given(of('one'), adopted('two', 'one')).when(by('one')).thenNothing();
    given(of('one'), adopted('two', 'one'))
      .when(by('two'))
      .then(started([ann]));
  });

  it('is anybody’s where there are no nodes any more', () => {
    given(of('one'))
      .when(start([ann]))
      .then(started([ann]));
  });

  it('takes the verdict of its former owner, by the number of the attempt, once', () => {
    const past = [of('one'), started([ann]), adopted('two', 'one')];
    given(...past)
      .when(verdict('delivered', 0))
      .then(delivered(0, ann), { ...cleaned });
    given(...past, delivered(0, ann), cleaned)
      .when(verdict('delivered', 0))
      .thenNothing();
  });

  it('may come from before there were nodes', () => {
    given(of(undefined)).when(adopt('one')).then(adopted('one'));
    given(of('one')).when(adopt('two')).thenNothing();
  });
});

const cleaned: QueueEvent = {
  ...{ type: 'MessageCleanedUp', v: 1, at: birth },
  data: { body: '019b7654-0c00-7000-8000-000000000001' },
};

describe('whoever asks about such a letter', () => {
  it('hears who answered for it', () => {
    const tell = storyTeller();
    const told = letterLog(of('one'), adopted('two', 'one'), adopted('three')).flatMap((event) => {
      const { text, more } = tell(event);
      return [text, ...more];
    });
    expect(told).toEqual(
      expect.arrayContaining([
        'node one answers for it',
        'adopted by node two, after node one',
        'adopted by node three',
      ]),
    );
  });

  it('hears of an attempt whose maker is gone, and when it is in doubt', () => {
    const past = [of('one'), started([ann])];
    const until = past.flat().find(({ type }) => type === 'AttemptStarted')!.data as {
      untilAt: number;
    };
    const [mine] = letterFacts(letterLog(...past)).recipients;
    const [gone] = letterFacts(letterLog(...past, adopted('two', 'one'))).recipients;
    expect([mine!.doubtfulAt, gone!.doubtfulAt]).toEqual([undefined, until.untilAt]);
  });

  it('hears of owners that do not follow each other', () => {
    const books = (...events: readonly (QueueEvent | QueueEvent[])[]) =>
      closeAudit(letterLog(...events).reduce(foldAudit, emptyAudit())).mistakes;
    expect(books(of('one'), adopted('two', 'one'), adopted('three', 'two'))).toEqual([]);
    expect(books(of('one'), adopted('two', 'three'))).toMatchObject([
      { what: 'adopted from three, but it is one’s' },
    ]);
  });
});

describe('letters of others', () => {
  it('are not handed out before they are ours, nor after', () => {
    const mine = new Set<string>();
    const table = new AgendaTable();
    const scheduler = new Scheduler(table, {
      ...{ clock: new ManualClock(birth), slots: () => ({ local: 5, remote: 5 }) },
      isMine: (message) => mine.has(message),
    });
    scheduler.start();
    table.add('a', ['remote far.test'], birth);
    expect(scheduler.take()).toBeUndefined();
    mine.add('a');
    scheduler.reconsider('a');
    mine.delete('a');
    scheduler.reconsider('a');
    expect(scheduler.take()).toBeUndefined();
    mine.add('a');
    scheduler.reconsider('a');
    const job = scheduler.take()!;
    expect(job.message).toBe('a');
    // What is out stays out; when it comes back it is somebody else's.
    mine.delete('a');
    scheduler.reconsider('a');
    scheduler.release(job);
    expect(scheduler.take()).toBeUndefined();
  });

  it('that somebody else wrote about are read again before we decide', async () => {
    const log = new MemoryLog();
    const [here, there] = [openLetters({ log }), openLetters({ log })];
    const id = idOf(1);
    await here.handle(id, accept(ann));
    await there.handle(id, hold(0));
    expect(await here.handle(id, release(0))).toEqual([]);
    const [, , last] = await log.readStream(`message-${id}`);
    here.heard(id, last!.revision);
    expect((await here.handle(id, release(0))).map(({ type }) => type)).toEqual([
      'MessageReleased',
    ]);
    expect(asQueueEvent(last!).type).toBe('MessageHeld');
  });
});
