import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../src/queue/decider.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { tooLongInQueue } from '../../src/queue/schedule.ts';
import { evolve, initial } from '../../src/queue/state.ts';
import { audit } from '../support/audit.ts';
import {
  accept,
  age,
  birth,
  byHand,
  cancelled,
  cleanedUp,
  deferred,
  delivered,
  doubt,
  failed,
  held,
  hold,
  letter,
  outcome,
  redirect,
  redirected,
  release,
  released,
  reply,
  report,
  retryRequested,
  settled,
  start,
  started,
  verdict,
  week,
} from '../support/queue-mail.ts';
import {
  asQueueEvent,
  play,
  recipientsOf,
  step,
  toCommand,
  walks,
} from '../support/random-letters.ts';
import { queue, story } from '../support/story.ts';

const given = story(queue);
const ann = 'ann@a.test';
const joe = 'joe@here.test';
const bob = 'bob@b.test';

describe('a letter that comes in', () => {
  it('is accepted and queued, each recipient with its way', () => {
    given().when(accept(ann, joe)).then(letter(ann, joe));
  });

  it('is ended at once when it is for nobody', () => {
    given().when(accept()).then(letter(), cleanedUp());
  });

  it('names its parent', () => {
    const parent = { message: 'parent', why: 'forward' } as const;
    const [accepted] = decide({ ...accept(ann), parent }, initial());
    expect(accepted).toMatchObject({ type: 'MessageAccepted', data: { parent } });
  });

  it('is accepted once', () => {
    given(letter(ann)).when(accept(ann)).thenNothing();
  });

  it.each([
    ['an attempt', start([ann])],
    ['a verdict', verdict('delivered', 0)],
    ['a doubt', doubt()],
    ['a hold', hold()],
    ['a release', release()],
    ['a retry', byHand('Retry')],
    ['a cancel', byHand('Cancel')],
    ['a redirect', redirect(0, bob)],
  ])('hears nothing of %s before', (_, command) => {
    given().when(command).thenNothing();
  });
});

describe('an attempt', () => {
  it('is recorded before it is made', () => {
    given(letter(ann))
      .when(start([ann]))
      .then(started([ann]));
  });

  it('is for those only who still wait', () => {
    given(letter(ann, bob), started([ann]), delivered(0, ann))
      .when(start([ann, bob]))
      .then(started([bob], { attempt: 2, rcpts: [1], why: 'first' }));
  });

  it('is not made when nobody waits', () => {
    given(letter(ann), started([ann]))
      .when(start([ann]))
      .thenNothing();
  });

  it('is not made of a letter on hold', () => {
    given(letter(ann), held())
      .when(start([ann]))
      .thenNothing();
  });

  it('is not made of recipients that the letter does not have', () => {
    given(letter(ann))
      .when(start([bob], { rcpts: [7] }))
      .thenNothing();
  });

  it('names a recipient once', () => {
    given(letter(ann))
      .when(start([ann, ann], { rcpts: [0, 0] }))
      .then(started([ann]));
  });

  it('says that it is a retry', () => {
    given(letter(ann), started([ann]), deferred(0, ann, 400))
      .when(start([ann], { at: 400 }))
      .then(started([ann], { attempt: 2, at: 400, why: 'retry' }));
  });

  it('says that it was asked for', () => {
    given(letter(ann), started([ann]), deferred(0, ann, 400), retryRequested([0], 10))
      .when(start([ann], { at: 11 }))
      .then(started([ann], { attempt: 2, at: 11, why: 'asked' }));
  });

  it.each([
    [week, false],
    [week + 1, true],
  ])('at age %d s is the last: %p', (at, last) => {
    given(letter(ann))
      .when(start([ann], { at }))
      .then(started([ann], { at, last }));
  });
});

describe('a verdict', () => {
  it('of delivery ends the letter with its last recipient', () => {
    given(letter(ann), started([ann]))
      .when(verdict('delivered', 0))
      .then(delivered(0, ann), cleanedUp());
  });

  it('of delivery names the letters forwarded to', () => {
    const children = new Map([[0, ['child']]]);
    given(letter(joe), started([joe]))
      .when({ ...verdict('delivered', 0), children })
      .then(
        {
          type: 'RecipientDelivered',
          v: 1,
          at: birth,
          data: { rcpt: 0, address: joe, attempt: 1, startedAt: birth, reply, children: ['child'] },
        },
        cleanedUp(),
      );
  });

  it.each(['delivered', 'failed', 'deferred'] as const)(
    'of a local delivery that %s tells what each line did',
    (kind) => {
      const lines = {
        from: '.qmail',
        done: [{ line: 1, kind: 'program', what: 'x', came: 'exit 0' }],
      } as const;
      const state = [letter(joe), started([joe])].flat().reduce(evolve, initial());
      const command = report([{ ...outcome(kind, 0), lines }]);
      expect(decide(command, state)[0]?.data).toMatchObject({ lines });
    },
  );

  it.each([
    ['remote', ann, 0, 400],
    ['local', joe, 0, 100],
    ['remote', ann, 1000, 2601],
    ['local', joe, 137, 441],
  ])('of deferral waits by the schedule: %s %s at age %d s until %d s', (_, to, at, due) => {
    given(letter(to), started([to], { at }))
      .when(verdict('deferred', 0, { at }))
      .then(deferred(0, to, due, { startedAt: at, at }));
  });

  it('of deferral counts from the start of the attempt, however long it took', () => {
    given(letter(ann), started([ann]))
      .when(verdict('deferred', 0, { at: 300 }))
      .then(deferred(0, ann, 400, { at: 300 }));
  });

  it('of deferral after the lifetime is a failure, and says so', () => {
    const at = week + 3600;
    const given_ = given(letter(ann), started([ann], { at, last: true }));
    given_.when(verdict('deferred', 0, { at })).then(
      {
        type: 'RecipientFailed',
        v: 1,
        at: age(at),
        data: {
          ...{ rcpt: 0, address: ann, attempt: 1, startedAt: age(at), expired: true },
          reply: { ...reply, text: reply.text + tooLongInQueue },
        },
      },
      settled([0], at),
    );
  });

  it('of failure settles the letter, which then owes a bounce', () => {
    given(letter(ann), started([ann]))
      .when(verdict('failed', 0))
      .then(failed(0, ann), settled([0]));
  });

  it('settles nothing while others are under way', () => {
    given(letter(ann, bob), started([ann]), started([bob], { attempt: 2, rcpts: [1] }))
      .when(verdict('failed', 0))
      .then(failed(0, ann));
  });

  it('on the last settles with all failures, in the order in which they were reported', () => {
    given(letter(ann, bob, joe), started([ann, bob, joe]), failed(2, joe), delivered(0, ann))
      .when(verdict('failed', 1))
      .then(failed(1, bob), settled([2, 1]));
  });

  it('on all of an attempt is recorded at once', () => {
    given(letter(ann, bob), started([ann, bob]))
      .when(report([outcome('failed', 1), outcome('delivered', 0)]))
      .then(failed(1, bob), delivered(0, ann), settled([1]));
  });

  it.each([
    ['heard twice', 1],
    ['of another attempt', 2],
    ['of an attempt that never was', 0],
  ])('%s is ignored', (_, attempt) => {
    given(letter(ann), started([ann]), delivered(0, ann), cleanedUp())
      .when(verdict('delivered', 0, { attempt }))
      .thenNothing();
  });

  it('that comes after its attempt was given up is ignored', () => {
    given(letter(ann), started([ann]), deferred(0, ann, 0), started([ann], { attempt: 2 }))
      .when(verdict('delivered', 0, { attempt: 1 }))
      .thenNothing();
  });

  it('on somebody twice counts once, the first', () => {
    given(letter(ann, bob), started([ann, bob]))
      .when(report([outcome('delivered', 0), outcome('failed', 0), outcome('delivered', 1)]))
      .then(delivered(0, ann), delivered(1, bob), cleanedUp());
  });

  it('on somebody else is ignored; whom nothing was said about is in doubt and waits', () => {
    const [event, ...more] = decide(
      report([outcome('delivered', 5)]),
      [...letter(ann), started([ann])].reduce(evolve, initial()),
    );
    expect(event).toMatchObject({
      type: 'RecipientDeferred',
      data: { rcpt: 0, attempt: 1, dueAt: age(400), doubt: true },
    });
    expect(more).toEqual([]);
  });

  it('of a kind that we do not know defers', () => {
    const odd = { ...outcome('delivered', 0), kind: 'bounced' as 'delivered' };
    given(letter(ann), started([ann]))
      .when(report([odd]))
      .then(deferred(0, ann, 400));
  });

  it.each([false, true])('that nobody tried to get is due again at once (last try: %p)', (last) => {
    given(letter(ann), started([ann], { at: 9, last }))
      .when(report([{ ...outcome('deferred', 0), untried: true }], { at: 10 }))
      .then(deferred(0, ann, 10, { at: 10, startedAt: 9 }));
  });

  it('in doubt holds the letter where the operator wants to decide himself', () => {
    const letters = [...letter(ann), started([ann])].reduce(evolve, initial());
    const inDoubt = {
      ...report([{ ...outcome('deferred', 0), doubt: true }]),
      doubtPolicy: 'hold' as const,
    };
    expect(decide(inDoubt, letters).map(({ type }) => type)).toEqual([
      'RecipientDeferred',
      'MessageHeld',
    ]);
    const plain = { ...report([outcome('deferred', 0)]), doubtPolicy: 'hold' as const };
    expect(decide(plain, letters).map(({ type }) => type)).toEqual(['RecipientDeferred']);
  });

  it.each(['deferred', 'failed'] as const)('%s keeps its doubt', (kind) => {
    const [event] = decide(
      report([{ ...outcome(kind, 0), doubt: true }]),
      [...letter(ann), started([ann])].reduce(evolve, initial()),
    );
    expect(event?.data).toMatchObject({ doubt: true });
  });
});

describe('an attempt in doubt', () => {
  const inDoubt = (rcpt: number, address: string): QueueEvent => ({
    type: 'RecipientDeferred',
    v: 1,
    at: birth,
    data: {
      ...{ rcpt, address, attempt: 1, startedAt: birth, dueAt: birth, doubt: true },
      reply: {
        text: 'Delivery was interrupted by a restart. Possible duplicate! (#4.4.2)\n',
        status: '4.4.2',
      },
    },
  });

  it('is said to be, and retried at once', () => {
    given(letter(ann, bob), started([ann, bob]))
      .when(doubt())
      .then(inDoubt(0, ann), inDoubt(1, bob));
  });

  it('holds the letter when the operator wants to look first', () => {
    given(letter(ann), started([ann]))
      .when(doubt({ policy: 'hold' }))
      .then(inDoubt(0, ann), {
        ...held(),
        data: { by: 'waybill', why: 'attempt in doubt' },
      } as QueueEvent);
  });

  it('concerns only those whose verdict is missing', () => {
    given(letter(ann, bob), started([ann, bob]), delivered(0, ann))
      .when(doubt())
      .then(inDoubt(1, bob));
  });

  it('is in doubt once', () => {
    given(letter(ann), started([ann]), inDoubt(0, ann))
      .when(doubt())
      .thenNothing();
    given(letter(ann), started([ann]), delivered(0, ann))
      .when(doubt())
      .thenNothing();
  });
});

describe('an operator', () => {
  const waiting = [...letter(ann, bob), started([ann]), deferred(0, ann, 400)];

  it('asks for a retry of all that wait', () => {
    given(waiting)
      .when(byHand('Retry', undefined, 5))
      .then(retryRequested([0, 1], 5));
  });

  it('asks for a retry of some', () => {
    given(waiting)
      .when(byHand('Retry', [0, 0, 9], 5))
      .then(retryRequested([0], 5));
  });

  it('asks once until the attempt is made', () => {
    given(waiting, retryRequested([0], 5))
      .when(byHand('Retry', [0], 6))
      .thenNothing();
  });

  it('does not recall what is under way', () => {
    given(letter(ann), started([ann]))
      .when(byHand('Retry'))
      .thenNothing();
    given(letter(ann), started([ann]))
      .when(byHand('Cancel'))
      .thenNothing();
    given(letter(ann), started([ann]))
      .when(redirect(0, bob))
      .thenNothing();
  });

  it('holds a letter once, and releases it once', () => {
    given(waiting).when(hold()).then(held());
    given(waiting, held()).when(hold()).thenNothing();
    given(waiting, held()).when(release()).then(released());
    given(waiting).when(release()).thenNothing();
  });

  it('cancels a recipient, once however often it is named', () => {
    given(waiting)
      .when(byHand('Cancel', [0, 0]))
      .then(cancelled(0, ann));
  });

  it('ends a letter by cancelling all that wait', () => {
    given(waiting).when(byHand('Cancel')).then(cancelled(0, ann), cancelled(1, bob), cleanedUp());
  });

  it('settles a letter by cancelling the last that wait, when others had failed', () => {
    given(letter(ann, bob), started([ann]), failed(0, ann))
      .when(byHand('Cancel', [1]))
      .then(cancelled(1, bob), settled([0]));
  });

  it('cancels what is on hold', () => {
    given(letter(ann), held()).when(byHand('Cancel')).then(cancelled(0, ann), cleanedUp());
  });

  it('redirects a recipient; the same way again is nothing new', () => {
    given(waiting)
      .when(redirect(0, bob, 5))
      .then(redirected(0, bob, 5));
    given(waiting, redirected(0, bob)).when(redirect(0, bob)).thenNothing();
  });

  it.each([
    ['a retry', byHand('Retry')],
    ['a hold', hold()],
    ['a cancel', byHand('Cancel')],
    ['a redirect', redirect(0, bob)],
  ])('comes too late with %s when the letter has ended', (_, command) => {
    given(letter(ann), started([ann]), delivered(0, ann), cleanedUp())
      .when(command)
      .thenNothing();
  });
});

describe('a settled letter', () => {
  const owing = [...letter(ann), started([ann]), failed(0, ann), settled([0])];
  const bounce = { child: 'child', kind: 'bounce', to: 'joe@here.test' } as const;

  it('ends with its bounce', () => {
    given(owing)
      .when({ type: 'SettleBounce', bounce, at: birth })
      .then({ type: 'BounceQueued', v: 1, at: birth, data: bounce }, cleanedUp());
  });

  it('ends without one when nobody is to be told', () => {
    given(owing)
      .when({ type: 'SettleBounce', bounce: { discard: 'triple bounce' }, at: birth })
      .then(
        { type: 'BounceDiscarded', v: 1, at: birth, data: { why: 'triple bounce' } },
        cleanedUp(),
      );
  });

  it('bounces once, and not before it is settled', () => {
    const command = { type: 'SettleBounce', bounce, at: birth } as const;
    given(owing, cleanedUp()).when(command).thenNothing();
    given(letter(ann)).when(command).thenNothing();
  });
});

describe('any letter, whatever happens to it in whatever order', () => {
  it('has one end per recipient, settles once, and is cleaned up once and last', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.nat(5), (steps, size) => {
        const { events } = play(steps, [size]);
        audit(events.map(asQueueEvent), size);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is not changed by hearing anything twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.nat(5), (steps, size) => {
        const recipients = recipientsOf(size);
        const state = initial();
        let at = birth;
        for (const each of [{ ...steps[0]!, kind: 'accept' as const, pause: 0 }, ...steps]) {
          at += each.pause ?? 0;
          const command = toCommand({ ...each, rcpts: each.rcpts ?? [] }, state, at, recipients);
          decide(command, state).reduce(evolve, state);
          expect(decide(command, state)).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('comes to its end when its attempts do', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.integer({ min: 1, max: 5 }),
        (steps, size) => {
          const { events, states } = play(steps, [size]);
          const state = [...states.values()][0]!;
          const all = events.map(asQueueEvent);
          const run = (command: Parameters<typeof decide>[0]) => {
            for (const event of decide(command, state)) {
              all.push(event);
              evolve(state, event);
            }
          };
          const at = (events.at(-1)?.at ?? birth) + 1;
          run({ type: 'Release', by: 'x', why: 'y', at });
          for (const attempt of [...state.open.keys()]) run({ ...doubt({ attempt }), at });
          const rcpts = [...state.recipients.keys()];
          const addresses = rcpts.map((rcpt) => state.recipients[rcpt]!.address);
          run({ ...start(addresses, { rcpts }), at });
          run({
            ...report(rcpts.map((rcpt) => outcome('delivered', rcpt))),
            attempt: state.attempts,
            at,
          });
          run({ type: 'SettleBounce', bounce: { discard: 'enough' }, at });
          audit(all, size);
          expect([state.done, state.unfinished, state.open.size]).toEqual([true, 0, 0]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never mixes up letters that live side by side', () => {
    fc.assert(
      fc.property(walks, ({ steps, sizes }) => {
        const { events } = play(steps, sizes);
        for (const stream of new Set(events.map((event) => event.stream))) {
          const mine = events.filter((event) => event.stream === stream);
          const size = (mine[1]!.data as { routes: unknown[] }).routes.length;
          audit(mine.map(asQueueEvent), size);
        }
      }),
    );
  });
});
