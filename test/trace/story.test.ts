import { describe, expect, it } from '@jest/globals';
import type { QueueEvent } from '../../src/queue/events.ts';
import { storyTeller } from '../../src/trace/story.ts';
import {
  age,
  birth,
  body,
  cancelled,
  cleanedUp,
  deferred,
  delivered,
  failed,
  hand,
  held,
  letter,
  redirected,
  released,
  retryRequested,
  settled,
  started,
} from '../support/queue-mail.ts';
import { letterLog } from './recorded.ts';

const told = (...events: readonly (QueueEvent | readonly QueueEvent[])[]): string[] => {
  const tell = storyTeller();
  return letterLog(...events).flatMap((event) => {
    const { text, more } = tell(event);
    return [text, ...more.map((line) => `  ${line}`)];
  });
};

describe('the story of a letter', () => {
  it('tells its whole life, each event as a sentence', () => {
    expect(
      told(
        letter('ann@b.test', 'bob@here.test'),
        started(['ann@b.test']),
        deferred(0, 'ann@b.test', 400, { at: 2 }),
        started(['bob@here.test'], { attempt: 2, rcpts: [1] }),
        delivered(1, 'bob@here.test', { attempt: 2 }),
        held(10),
        released(20),
        retryRequested([0], 30),
        started(['ann@b.test'], { attempt: 3, at: 31, last: true, why: 'asked' }),
        failed(0, 'ann@b.test', { attempt: 3, startedAt: 31, at: 32.5 }),
        settled([0], 32.5),
        {
          type: 'BounceQueued',
          v: 1,
          at: age(33),
          data: { child: 'C', kind: 'double-bounce', to: 'joe@here.test' },
        },
        cleanedUp(33),
      ),
    ).toEqual([
      'accepted from <joe@here.test> for 2 recipients, 12 bytes, by ESMTP',
      `  body sha256 ${body.sha256}`,
      'queued by the control files rules of the day',
      '  0 <ann@b.test>: remote b.test, because default: remote',
      '  1 <bob@here.test>: local bob@here.test, because locals: here.test',
      'attempt 1 remote b.test (first) to 0 <ann@b.test>',
      'attempt 1: 0 <ann@b.test> deferred after 2.0 s: Remote host said: hello',
      '  again at 2026-01-01T00:06:40Z, 6 min 38 s later',
      'attempt 2 local (retry) to 1 <bob@here.test>',
      'attempt 2: 1 <bob@here.test> delivered after 0 ms: Remote host said: hello',
      'held by postmaster (a test)',
      'released by postmaster (a test)',
      'retry asked for by postmaster (a test)',
      '  for 0 <ann@b.test>',
      'attempt 3 remote b.test (asked for by hand; the last: the letter is too old to wait on) to 0 <ann@b.test>',
      'attempt 3: 0 <ann@b.test> failed after 1.5 s: Remote host said: hello',
      'settled: 1 of 2 recipients failed; a bounce is owed',
      'double bounce queued to <joe@here.test> as letter C',
      'done after 33 s; nothing is owed any more',
    ]);
  });

  it('says how it came in, and from which letter', () => {
    const arrival = {
      protocol: 'ESMTPS' as const,
      peer: '192.0.2.1:4711',
      peerHost: 'mx.a.test',
      helo: 'a.test',
      auth: 'joe',
      tls: { protocol: 'TLSv1.3', cipher: 'x', verified: false },
    };
    const accepted: QueueEvent = {
      ...{ type: 'MessageAccepted', v: 1, at: birth },
      data: {
        envelope: { returnPath: '', recipients: [] },
        body,
        arrival,
        parent: { message: 'P', why: 'forward' },
      },
    };
    expect(told(accepted).slice(0, 2)).toEqual([
      'accepted from <> for 0 recipients, 12 bytes, by ESMTPS from mx.a.test [192.0.2.1:4711], helo a.test, TLSv1.3, as joe',
      '  comes from letter P (forward)',
    ]);
  });

  it('tells what each line of a .qmail file did, whatever a line may say', () => {
    const event = delivered(1, 'bob@here.test') as Extract<
      QueueEvent,
      { type: 'RecipientDelivered' }
    >;
    const lines = {
      from: '.qmail-a',
      done: [
        { line: 2, kind: 'program', what: 'echo \u001b[2J', came: 'exit 99' },
        { line: 3, kind: 'forward', what: 'ann@b.test' },
      ],
      more: 2,
    } as const;
    expect(
      told(letter('ann@b.test', 'bob@here.test'), {
        ...event,
        data: { ...event.data, lines },
      }).slice(-4),
    ).toEqual([
      'attempt 1: 1 <bob@here.test> delivered after 0 ms: Remote host said: hello',
      '  .qmail-a line 2: program echo ?[2J: exit 99',
      '  .qmail-a line 3: forward ann@b.test',
      '  and 2 lines more',
    ]);
  });

  it('names doubts, forwards, redirections, cancellations and discarded bounces', () => {
    const doubtful = deferred(0, 'ann@b.test', 3) as Extract<
      QueueEvent,
      { type: 'RecipientDeferred' }
    >;
    const forwarded = delivered(1, 'bob@here.test') as Extract<
      QueueEvent,
      { type: 'RecipientDelivered' }
    >;
    expect(
      told(
        { ...doubtful, data: { ...doubtful.data, doubt: true } },
        { ...forwarded, data: { ...forwarded.data, children: ['F1', 'F2'] } },
        redirected(0, 'eve@c.test'),
        cancelled(0, 'eve@c.test'),
        { type: 'BounceDiscarded', v: 1, at: birth, data: { why: 'triple bounce' } },
      ),
    ).toEqual([
      'attempt 1: 0 <ann@b.test> deferred after 0 ms: Remote host said: hello',
      '  IN DOUBT: the far side may have taken it; the next attempt may be a duplicate',
      '  again at 2026-01-01T00:00:03Z, 3.0 s later',
      'attempt 1: 1 <bob@here.test> delivered after 0 ms: Remote host said: hello',
      '  forwarded as letter F1',
      '  forwarded as letter F2',
      '0 <> redirected to <eve@c.test> by postmaster (a test)',
      '0 <eve@c.test> cancelled by postmaster (a test)',
      'no bounce: triple bounce',
    ]);
  });

  it("keeps a stranger's bytes away from the terminal, wherever they stand", () => {
    const evil = 'x\u001b]0;owned\u0007\n\u009b2J@b.test';
    const lines = told(
      letter(evil),
      { ...held(), data: { by: evil, why: evil } } as QueueEvent,
      started([evil]),
      deferred(0, evil, 400),
      redirected(0, evil),
      { type: 'Unheard', v: 9, at: birth, data: { evil } } as unknown as QueueEvent,
    );
    for (const line of lines) expect(line).toMatch(/^[ -~]*$/);
    expect(hand.by).toBe('postmaster');
  });
});
