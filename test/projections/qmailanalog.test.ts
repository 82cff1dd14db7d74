import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { question as matchup } from '../../projections/matchup.ts';
import { question as qmailLog } from '../../projections/qmail-log.ts';
import { question as zddist } from '../../projections/zddist.ts';
import { question as zdeferrals } from '../../projections/zdeferrals.ts';
import { question as zfailures } from '../../projections/zfailures.ts';
import { question as zoverall } from '../../projections/zoverall.ts';
import { question as zrecipients } from '../../projections/zrecipients.ts';
import { question as zrhosts } from '../../projections/zrhosts.ts';
import { question as zrxdelay } from '../../projections/zrxdelay.ts';
import { question as zsenders } from '../../projections/zsenders.ts';
import { question as zsendmail } from '../../projections/zsendmail.ts';
import { question as zsuccesses } from '../../projections/zsuccesses.ts';
import { question as zsuids } from '../../projections/zsuids.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { play, step } from '../support/random-letters.ts';
import * as mail from '../support/queue-mail.ts';
import { idEnding, ofLetter, recorded } from '../trace/recorded.ts';
import { linesOf, rowsOf, said } from './asked.ts';

const born = mail.birth / 1000;

const saying = (event: QueueEvent, text: string): QueueEvent =>
  ({ ...event, data: { ...event.data, reply: { text } } }) as QueueEvent;

/** 1,000 bytes from Ann: one recipient at once, one at the second try, one never. */
const first: QueueEvent[] = [
  {
    ...mail.letterFrom('Ann@A.test', 'Joe@here.test', 'x@b.test', 'no@b.test')[0]!,
    data: {
      envelope: {
        returnPath: 'Ann@A.test',
        recipients: ['Joe@here.test', 'x@b.test', 'no@b.test'],
      },
      body: { ...mail.body, bytes: 1000 },
      arrival: { protocol: 'local', uid: 1001 },
    },
  } as QueueEvent,
  mail.letterFrom('Ann@A.test', 'Joe@here.test', 'x@b.test', 'no@b.test')[1]!,
  mail.started(['Joe@here.test'], { rcpts: [0], at: 1 }),
  saying(mail.delivered(0, 'Joe@here.test', { startedAt: 1, at: 2 }), 'did 1+0+0\n'),
  mail.started(['x@b.test', 'no@b.test'], { attempt: 2, rcpts: [1, 2], at: 1 }),
  saying(mail.deferred(1, 'x@b.test', 401, { attempt: 2, startedAt: 1, at: 5 }), 'busy\n'),
  saying(mail.failed(2, 'no@b.test', { attempt: 2, startedAt: 1, at: 5 }), '550 no 100%\n'),
  mail.started(['x@b.test'], { attempt: 3, rcpts: [1], at: 401 }),
  saying(mail.delivered(1, 'x@b.test', { attempt: 3, startedAt: 401, at: 403 }), ''),
  mail.settled([2], 403),
  {
    ...{ type: 'BounceQueued', v: 1, at: mail.age(404) },
    data: { child: idEnding('2'), kind: 'bounce', to: 'Ann@A.test' },
  },
  mail.cleanedUp(404),
];

/** Its bounce, from nobody, still waiting. */
const second: QueueEvent[] = [
  ...mail.letterFrom('', 'ann@a.test'),
  mail.started(['ann@a.test'], { at: 500 }),
  saying(mail.deferred(0, 'ann@a.test', 900, { startedAt: 500, at: 510 }), 'busy\n'),
];

const events = recorded(...ofLetter(first), ...ofLetter(second, idEnding('2')));

describe("qmailanalog's reports", () => {
  it('know every attempt, and every letter that is done', () => {
    const ann = `<ann@a.test>`;
    const at = (seconds: number) => (born + seconds).toFixed(6);
    expect(said(matchup, events)).toEqual([
      `d k ${at(0)} ${at(1)} ${at(2)} 1000 ${ann} local.joe@here.test 1 1001 did_1+0+0/`,
      `d z ${at(0)} ${at(1)} ${at(5)} 1000 ${ann} remote.x@b.test 1 1001 busy/`,
      `d d ${at(0)} ${at(1)} ${at(5)} 1000 ${ann} remote.no@b.test 1 1001 550_no_100_/`,
      `d k ${at(0)} ${at(401)} ${at(403)} 1000 ${ann} remote.x@b.test 1 1001 -`,
      `m ${at(0)} ${at(404)} 1000 2 1 1 ${ann} 1 1001`,
      `d z ${at(0)} ${at(500)} ${at(510)} 12 <> remote.ann@a.test 13 7791 busy/`,
    ]);
  });

  it('add everything up', () => {
    // Bytes weighted by success: 2 of 1,000. xdelays: 1, 4, 4, 2, 10; over 509 s.
    expect(linesOf(zoverall, events)).toEqual([
      'Completed messages: 1',
      'Recipients for completed messages: 3',
      'Total delivery attempts for completed messages: 4',
      'Average delivery attempts per completed message: 4',
      'Bytes in completed messages: 1000',
      'Bytes weighted by success: 2000',
      'Average message qtime (s): 404',
      '',
      'Total delivery attempts: 5',
      '  success: 2',
      '  failure: 1',
      '  deferral: 2',
      'Total ddelay (s): 405',
      'Average ddelay per success (s): 202.5',
      'Total xdelay (s): 21',
      'Average xdelay per delivery attempt (s): 4.2',
      'Time span (days): 0.00590278',
      'Average concurrency: 0.0411765',
    ]);
  });

  it('know who sent', () => {
    const header = 'mess  bytes  sbytes  rbytes  recips  tries  xdelay  sender';
    expect(linesOf(zsenders, events)).toEqual([
      header,
      '   1   1000    2000    3000       3      4   11.00  <ann@a.test>',
      '   0      0       0       0       0      0   10.00  <>',
    ]);
    expect(rowsOf(zsuids, events).map((row) => [row[0], row[7]])).toEqual([
      [1, '1001'],
      [0, '7791'],
    ]);
  });

  it('know who was written to, and how long that took', () => {
    expect(rowsOf(zrecipients, events)).toEqual([
      [1000, 1, 1, 1, 'local.joe@here.test'],
      [1000, 1, 2, 6, 'remote.x@b.test'],
      [0, 0, 1, 10, 'remote.ann@a.test'],
      [0, 1, 1, 4, 'remote.no@b.test'],
    ]);
    expect(rowsOf(zrhosts, events)).toEqual([
      [1000, 2, 3, 10, 'b.test'],
      [1000, 1, 1, 1, 'here.test'],
      [0, 0, 1, 10, 'a.test'],
    ]);
    expect(rowsOf(zrxdelay, events).map(([avg, , who]) => [avg, who])).toEqual([
      [10, 'remote.ann@a.test'],
      [4, 'remote.no@b.test'],
      [3, 'remote.x@b.test'],
      [1, 'local.joe@here.test'],
    ]);
    expect(rowsOf(zddist, events).filter(([, , pct]) => [50, 100].includes(pct as number))).toEqual(
      [
        [2, 2, 50],
        [403, 202.5, 100],
      ],
    );
  });

  it('count reasons by how often they were heard', () => {
    expect(rowsOf(zdeferrals, events)).toEqual([[2, 14, 'busy/']]);
    expect(rowsOf(zfailures, events)).toEqual([[1, 4, '550_no_100_/']]);
    expect(rowsOf(zsuccesses, events)).toEqual([
      [1, 2, '-'],
      [1, 1, 'did_1+0+0/'],
    ]);
  });

  it("print letters in sendmail's manner", () => {
    const at = (seconds: number) => (born + seconds).toFixed(6);
    expect(said(zsendmail, events).slice(3, 5)).toEqual([
      `${at(403)} 1: to=remote.x@b.test, uid=1001, ddelay=403.000, xdelay=2.000, stat=Sent (-)`,
      `${at(404)} 1: from=<ann@a.test>, size=1000, nrcpts=3, deferrals=1, qtime=404.000`,
    ]);
  });

  it('look at one sender, recipient or letter only, and at what is not too old', () => {
    expect(said(matchup, events, { sender: 'ANN@a.test' })).toHaveLength(5);
    expect(said(matchup, events, { recipient: 'x@b.test' })).toHaveLength(2);
    expect(said(matchup, events, { qp: '13' })).toHaveLength(1);
    const late = said(matchup, events, {}, mail.age(400));
    expect(late.map((line) => line.slice(0, 3))).toEqual(['d k', 'm 1', 'd z']);
    // What is not counted is known all the same.
    expect(late[0]).toContain('<ann@a.test>');
  });

  it('tell attempts of a letter whose beginning is gone, as far as they are known', () => {
    const tail = events.filter(({ position }) => position > 7 && position < 13);
    const lines = said(matchup, tail);
    expect(lines[0]).toContain(' 0 <?> remote.x@b.test 8 ? -');
    expect(lines[1]).toContain(' 0 1 0 0 <?> 8 ?');
  });
});

const hasAwk = spawnSync('awk', ['BEGIN { exit 0 }']).status === 0;
if (!hasAwk)
  console.warn('skipped, for there is no awk: matchup agrees with the lines of qmail-send');

(hasAwk ? describe : describe.skip)("qmail-send's log", () => {
  it('says the same as matchup does, whatever happens to the mail', () => {
    const awk = join(import.meta.dirname, 'matchup.awk');
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 100, maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 6 }),
        (steps, sizes) => {
          const log = play(steps, sizes).events;
          const lines = said(qmailLog, log, { stamp: 'seconds' });
          const { stdout } = spawnSync('awk', ['-f', awk], {
            input: lines.map((line) => `${line}\n`).join(''),
            encoding: 'utf8',
          });
          expect(stdout.split('\n').slice(0, -1)).toEqual(said(matchup, log));
        },
      ),
      { numRuns: 20 },
    );
  });
});
