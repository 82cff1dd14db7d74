import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { empty as emptyAgenda, fold as foldAgenda } from '../../projections/agenda.ts';
import { question as agendaLanes } from '../../projections/agenda-lanes.ts';
import { question as deferralReasons, shapeOf } from '../../projections/deferral-reasons.ts';
import { question as hostHealth } from '../../projections/host-health.ts';
import { question as messageStory } from '../../projections/message-story.ts';
import { openOf, question as queueContents } from '../../projections/queue-contents.ts';
import { others, ranked, startTally, sumsOf } from '../../projections/tally.ts';
import { question as traffic } from '../../projections/traffic.ts';
import { rowStatus } from '../../projections/agenda-rows.ts';
import type { Happening } from '../../src/ask/ports.ts';
import * as mail from '../support/queue-mail.ts';
import { play, step } from '../support/random-letters.ts';
import { idEnding, letterLog, ofLetter, recorded } from '../trace/recorded.ts';
import { linesOf, rowsOf } from './asked.ts';

describe('what is in the queue', () => {
  it("is what the queue's own agenda says, at every instant", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        (steps, sizes) => {
          const contents = queueContents.empty({ by: 'recipient', limit: 100 });
          const agenda = emptyAgenda();
          play(steps, sizes, (event) => {
            queueContents.fold(contents, event as unknown as Happening);
            foldAgenda(agenda, event);
            const ours = [...openOf(contents)].map(
              ([, letter, { state, dueAt }]) =>
                `${state} ${letter.held} ${state === 'waiting' ? dueAt : ''}`,
            );
            const { rows } = agenda;
            const theirs = [...rows.openLetters()].flatMap((letter) =>
              [...rows.rowsOf(letter)].map((row) => {
                const waits = rows.status[row] === rowStatus.waiting;
                const state = waits ? 'waiting' : 'attempting';
                return `${state} ${rows.isHeld(letter)} ${waits ? rows.due[row] : ''}`;
              }),
            );
            expect(ours.sort()).toEqual(theirs.sort());
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  const events = recorded(
    ...ofLetter([
      ...mail.letter('joe@here.test', 'a@b.test'),
      mail.started(['a@b.test'], { rcpts: [1], at: 1 }),
      mail.deferred(1, 'a@b.test', 500, { at: 2 }),
      mail.held(3),
    ]),
    ...ofLetter(mail.letter('c@d.test', 'e@b.test'), idEnding('2')),
  );

  it('is told recipient by recipient, those due first', () => {
    const rows = rowsOf(queueContents, events, { by: 'recipient' });
    expect(rows.map((row) => [row[3], row[5], row[8]])).toEqual([
      ['held', 0, '<joe@here.test>'],
      ['waiting', 0, '<c@d.test>'],
      ['waiting', 0, '<e@b.test>'],
      ['held', 1, '<a@b.test>'],
    ]);
    expect(linesOf(queueContents, events, { limit: '1' }).at(-1)).toBe('and 3 more recipients');
  });

  it('is added up by destination, age and sender', () => {
    const now = mail.age(200);
    expect(rowsOf(queueContents, events, { by: 'destination' }, now)).toEqual([
      [2, 1, 0, 1, 200_000, 'b.test'],
      [1, 0, 0, 1, 200_000, 'local'],
      [1, 1, 0, 0, 200_000, 'd.test'],
    ]);
    const ages = rowsOf(queueContents, events, { by: 'age' }, now);
    expect(ages.map(([recipients]) => recipients)).toEqual([0, 4, 0, 0, 0, 0, 0, 0]);
    expect(rowsOf(queueContents, events, { by: 'sender' }, now)[0]?.at(-1)).toBe('<joe@here.test>');
  });

  it('is told lane by lane, as the queue itself keeps it', () => {
    const lanes = rowsOf(agendaLanes, events, {}, mail.age(200));
    expect(lanes.map((row) => [row[0], row[3], row[5]])).toEqual([
      [1, 1, 'remote b.test'],
      [0, 1, 'local joe'],
      [1, 0, 'remote d.test'],
    ]);
  });
});

describe("a host's health", () => {
  it('is bad from its first deferral until it answers again', () => {
    const tries = [
      ...mail.letter('a@b.test'),
      mail.started(['a@b.test']),
      mail.deferred(0, 'a@b.test', 400, { at: 10 }),
      mail.started(['a@b.test'], { attempt: 2, at: 400 }),
      mail.deferred(0, 'a@b.test', 900, { attempt: 2, startedAt: 400, at: 402 }),
    ];
    const now = mail.age(500);
    expect(rowsOf(hostHealth, letterLog(...tries), {}, now)).toEqual([
      ['troubled', 490_000, 0, 2, 0, 6, undefined, 'b.test', mail.reply.text],
    ]);
    const healed = [
      ...tries,
      mail.started(['a@b.test'], { attempt: 3, at: 900 }),
      mail.delivered(0, 'a@b.test', { attempt: 3, startedAt: 900, at: 903 }),
    ];
    expect(rowsOf(hostHealth, letterLog(...healed), {}, now)).toEqual([
      ['well', undefined, 1, 2, 0, 5, mail.age(903), 'b.test', ''],
    ]);
  });

  it('is not asked of deliveries on this machine', () => {
    const log = letterLog(
      ...mail.letter('a@here.test'),
      mail.started(['a@here.test']),
      mail.delivered(0, 'a@here.test'),
    );
    expect(rowsOf(hostHealth, log)).toEqual([]);
  });
});

describe('traffic', () => {
  it('is counted in steps, refusals included', () => {
    const log = recorded(
      ...ofLetter([
        ...mail.letter('a@b.test', 'c@d.test'),
        mail.deferred(0, 'a@b.test', 9, { at: 59 }),
        mail.delivered(0, 'a@b.test', { at: 60 }),
      ]),
      {
        stream: 'door-smtp-x',
        event: { type: 'RefusalsSuppressed', v: 1, at: mail.age(61), data: { count: 7 } },
      },
    );
    expect(rowsOf(traffic, log, { every: '1min' })).toEqual([
      [mail.birth, 1, 12, 2, 0, 1, 0, 0, 0],
      [mail.birth + 60_000, 0, 0, 0, 1, 0, 0, 0, 7],
    ]);
    expect(rowsOf(traffic, log, { every: '1min', keep: '1' })).toHaveLength(1);
  });
});

describe('reasons for deferral', () => {
  it('are the same when only addresses, ids and numbers differ', () => {
    expect(
      shapeOf('192.0.2.7 said: 451 4.7.1 <joe@a.test> greylisted, try in 300 s (id 4Xy9z2Kq)\n'),
    ).toBe('HOST said: 451 4.7.1 ADDRESS greylisted, try in N s (id ID)');
    expect(shapeOf('2001:db8::1 said: 421 busy')).toBe('HOST said: 421 busy');
    expect(shapeOf('')).toBe('(nothing was said)');
  });

  it('are counted within a window that moves on', () => {
    const log = letterLog(
      ...mail.letter('a@b.test'),
      mail.deferred(0, 'a@b.test', 9, { at: 0 }),
      mail.deferred(0, 'a@b.test', 9, { at: 7_000 }),
    );
    const count = (now: number) =>
      rowsOf(deferralReasons, log, { window: '1h' }, mail.age(now))[0]?.[0];
    expect([count(7_000), count(12_000)]).toEqual([1, undefined]);
    expect(rowsOf(deferralReasons, log)[0]?.[0]).toBe(2);
  });
});

describe("a letter's story", () => {
  it('is told event by event, and of no other letter', () => {
    const log = recorded(
      ...ofLetter([...mail.letter('a@b.test'), mail.started(['a@b.test'], { at: 1 })]),
      ...ofLetter(mail.letter('x@y.test'), idEnding('2')),
      ...ofLetter([mail.delivered(0, 'a@b.test', { at: 2 }), mail.cleanedUp(2)]),
    );
    const rows = rowsOf(messageStory, log, { id: mail.message });
    expect(rows.map((row) => [row[2], row[3], row[5]])).toEqual([
      [0, 'accepted', '<a@b.test>'],
      [0, 'queued', undefined],
      [1_000, 'attempt', '<a@b.test>'],
      [2_000, 'delivered', '<a@b.test>'],
      [2_000, 'cleaned up', undefined],
    ]);
  });
});

describe('a tally', () => {
  it('keeps its totals and the common names however many names there are', () => {
    const tally = startTally(1, 10);
    const add = (name: string) => (sumsOf(tally, name)[0]! += 1);
    for (let n = 0; n < 1_000; n += 1) {
      add('common');
      if (n % 2 === 0) add('usual');
      add(`once ${n}`);
    }
    expect(tally.sums.size).toBeLessThanOrEqual(20);
    const rows = ranked(tally);
    expect(rows.slice(0, 2).map(([name, [sum]]) => [name, sum])).toEqual([
      ['common', 1000],
      ['usual', 500],
    ]);
    expect(rows.at(-1)![0]).toBe(others);
    expect(rows.reduce((sum, [, sums]) => sum + sums[0]!, 0)).toBe(2_500);
  });
});
