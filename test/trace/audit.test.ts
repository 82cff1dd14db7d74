import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { emptyAudit } from '../../src/trace/audit-books.ts';
import { closeAudit, foldAudit, openRecipients, owedBounces } from '../../src/trace/audit.ts';
import {
  birth,
  body,
  cancelled,
  cleanedUp,
  deferred,
  delivered,
  failed,
  held,
  letter,
  released,
  settled,
  started,
} from '../support/queue-mail.ts';
import { idEnding, letterLog, ofLetter, recorded } from './recorded.ts';

const audited = (events: readonly RecordedEvent[]) =>
  closeAudit(events.reduce(foldAudit, emptyAudit()));
const mistakes = (...events: readonly (QueueEvent | readonly QueueEvent[])[]) =>
  audited(letterLog(...events)).mistakes.map(({ what }) => what);

const ann = 'ann@b.test';
const bob = 'bob@b.test';
const child = idEnding('99');

const childLetter = (why: 'bounce' | 'forward'): QueueEvent[] => {
  const [accepted, ...rest] = letter('joe@here.test') as [
    Extract<QueueEvent, { type: 'MessageAccepted' }>,
    QueueEvent,
  ];
  return [{ ...accepted, data: { ...accepted.data, parent: { message: body.id, why } } }, ...rest];
};

const bounce: QueueEvent = {
  ...{ type: 'BounceQueued', v: 1, at: birth },
  data: { child, kind: 'bounce', to: 'joe@here.test' },
};
const discarded: QueueEvent = { type: 'BounceDiscarded', v: 1, at: birth, data: { why: 'triple' } };

describe('the books of a log', () => {
  it('balance: accepted = delivered + failed + cancelled + open', () => {
    const audit = audited(
      recorded(
        ...ofLetter([
          ...letter(ann, bob, 'c@here.test', 'd@here.test'),
          started([ann, bob]),
          delivered(0, ann),
          failed(1, bob),
          cancelled(2, 'c@here.test'),
        ]),
      ),
    );
    expect(audit.mistakes).toEqual([]);
    expect(audit.recipients).toEqual({ accepted: 4, delivered: 1, failed: 1, cancelled: 1 });
    expect(openRecipients(audit)).toBe(1);
  });

  it('close with a letter that failed, bounced and was cleaned up', () => {
    const audit = audited(
      recorded(
        ...ofLetter([...letter(ann), started([ann]), failed(0, ann), settled([0])]),
        ...ofLetter(childLetter('bounce'), child),
        ...ofLetter([bounce, cleanedUp()]).map((told) => told),
      ),
    );
    expect(audit.mistakes).toEqual([]);
    expect(audit.bounces).toEqual({ queued: 1, discarded: 0 });
    expect([audit.letters.done, owedBounces(audit)]).toEqual([1, 0]);
  });

  it('owe a bounce between the failure and the bounce, which is no mistake', () => {
    const audit = audited(letterLog(letter(ann), started([ann]), failed(0, ann), settled([0])));
    expect([audit.mistakes, owedBounces(audit)]).toEqual([[], 1]);
  });

  it('list attempts in doubt as such', () => {
    const doubtful = deferred(0, ann, 5, { at: 5 }) as Extract<
      QueueEvent,
      { type: 'RecipientDeferred' }
    >;
    const audit = audited(
      letterLog(letter(ann), started([ann]), {
        ...doubtful,
        data: { ...doubtful.data, doubt: true },
      }),
    );
    expect(audit.mistakes).toEqual([]);
    expect(audit.doubts).toEqual([
      { message: body.id, recipient: 0, attempt: 1, startedAt: birth, recordedAt: birth + 5000 },
    ]);
  });

  it('take a letter to nobody', () => {
    expect(mistakes(letter(), cleanedUp())).toEqual([]);
  });
});

describe('the books of a log show', () => {
  const sum = (n: string) => expect.stringContaining(n);
  it.each<[string, readonly (QueueEvent | readonly QueueEvent[])[], unknown[]]>([
    [
      'a second terminal event',
      [letter(ann, bob), started([ann]), delivered(0, ann), delivered(0, ann)],
      ['recipient 0 has a second terminal event', sum('2 recipients accepted, but 2 delivered')],
    ],
    [
      'a failure after a delivery',
      [letter(ann, bob), started([ann]), delivered(0, ann), failed(0, ann)],
      ['recipient 0 has a second terminal event', sum('but 1 delivered + 1 failed')],
    ],
    [
      'a cancellation of what was delivered',
      [letter(ann, bob), started([ann]), delivered(0, ann), cancelled(0, ann)],
      ['recipient 0 has a second terminal event', sum('1 cancelled')],
    ],
    [
      'a verdict without a record of its attempt',
      [letter(ann, bob), delivered(0, ann)],
      ['recipient 0: a verdict on attempt 1, which was never recorded for it'],
    ],
    [
      'a verdict on another attempt',
      [letter(ann), started([ann]), deferred(0, ann, 400, { attempt: 2 })],
      ['recipient 0: a verdict on attempt 2, which was never recorded for it'],
    ],
    [
      'a deferral after the end',
      [letter(ann, bob), started([ann]), delivered(0, ann), deferred(0, ann, 400)],
      ['recipient 0 deferred after its terminal event'],
    ],
    [
      'a recipient that is not in the envelope',
      [letter(ann), started([ann]), failed(7, ann)],
      ['there is no recipient 7', sum('1 failed')],
    ],
    [
      'attempts that are not numbered one by one',
      [letter(ann), started([ann], { attempt: 2 })],
      ['attempt 2 follows attempt 0'],
    ],
    [
      'two attempts at once for one recipient',
      [letter(ann), started([ann]), started([ann], { attempt: 2 })],
      ['attempt 2 to recipient 0, who does not wait'],
    ],
    [
      'an attempt of a letter that is held',
      [letter(ann), held(), started([ann])],
      ['attempt 1 of a letter that is held'],
    ],
    ['a release of what is not held', [letter(ann), released()], ['MessageReleased twice']],
    [
      'a settlement with recipients open',
      [letter(ann, bob), started([ann]), failed(0, ann), settled([0])],
      ['settled with 1 recipients open'],
    ],
    [
      'a settlement with other failures',
      [letter(ann), started([ann]), delivered(0, ann), settled([0])],
      ['settled with other failures than those recorded'],
    ],
    [
      'a letter that never settled',
      [letter(ann), started([ann]), delivered(0, ann)],
      ['has no recipient left, but never settled'],
    ],
    [
      'a cleaning-up without a bounce',
      [letter(ann), started([ann]), failed(0, ann), settled([0]), cleanedUp()],
      ['cleaned up without its bounce'],
    ],
    [
      'a cleaning-up of failures that never settled',
      [letter(ann), started([ann]), failed(0, ann), cleanedUp()],
      ['cleaned up with failures, but never settled'],
    ],
    [
      'a cleaning-up with recipients open',
      [letter(ann), cleanedUp()],
      ['cleaned up with 1 recipients open', sum('+ 0 open')],
    ],
    [
      'a bounce that was never accepted',
      [letter(ann), started([ann]), failed(0, ann), settled([0]), bounce],
      [`the bounce ${child} was never accepted`],
    ],
    [
      'a bounce before the settlement',
      [letter(ann), discarded],
      ['BounceDiscarded before it settled'],
    ],
    [
      'a second bounce',
      [letter(ann), started([ann]), failed(0, ann), settled([0]), discarded, discarded],
      ['a second bounce'],
    ],
    [
      'an event after the end',
      [letter(ann), cancelled(0, ann), cleanedUp(), held()],
      ['MessageHeld after the end of its letter, or before its beginning'],
    ],
    [
      'a letter that begins in the middle',
      [held()],
      ['MessageHeld after the end of its letter, or before its beginning'],
    ],
    ['a letter that was never queued', [letter(ann)[0]!], ['was accepted, but never queued']],
    [
      'a letter that was accepted twice',
      [letter(ann), letter(ann)[0]!],
      ['accepted in the middle of its stream', 'accepted twice'],
    ],
    ['routes that are too few', [letter(ann)[0]!, letter()[1]!], ['0 routes for 1 recipients']],
  ])('%s', (_, events, expected) => {
    expect(mistakes(...events)).toEqual(expected);
  });

  it('a revision that is missing', () => {
    const events = letterLog(letter(ann), held(), released());
    const mutilated = events.filter(({ revision }) => revision !== 2);
    expect(audited(mutilated).mistakes.map(({ what }) => what)).toEqual([
      'revision 3 follows revision 1',
      'MessageReleased twice',
    ]);
  });

  it('a forward that was never accepted, and are content with one that was', () => {
    const done = delivered(0, ann) as Extract<QueueEvent, { type: 'RecipientDelivered' }>;
    const forwarded: QueueEvent = { ...done, data: { ...done.data, children: [child] } };
    const parent = [...letter(ann), started([ann])];
    const end = ofLetter([forwarded, cleanedUp()]);
    expect(audited(recorded(...ofLetter(parent), ...end)).mistakes.map(({ what }) => what)).toEqual(
      [`forwarded as letter ${child}, which was never accepted`],
    );
    const whole = recorded(...ofLetter(parent), ...ofLetter(childLetter('forward'), child), ...end);
    expect(audited(whole).mistakes).toEqual([]);
  });
});
