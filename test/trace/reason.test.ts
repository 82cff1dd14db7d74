import { describe, expect, it } from '@jest/globals';
import type { QueueEvent } from '../../src/queue/events.ts';
import { formatReason } from '../../src/trace/reason-words.ts';
import { arithmeticOf } from '../../src/trace/reason-schedule.ts';
import { foldLetter, reasonOf, type Reason, type Situation } from '../../src/trace/reason.ts';
import { linesOf, readNodeHistory, type NodeHistory } from '../../src/trace/rules-of-the-day.ts';
import {
  age,
  birth,
  cancelled,
  cleanedUp,
  controls,
  deferred,
  delivered,
  failed,
  held,
  letter,
  message,
  redirected,
  retryRequested,
  settled,
  started,
  week,
} from '../support/queue-mail.ts';
import { letterLog, recorded } from './recorded.ts';

const files = { me: 'here.test\n', locals: 'other.test\nHere.test \n', queuelifetime: `${week}\n` };
const loaded = { digest: controls, files, at: birth, position: 1 };
const history: NodeHistory = {
  rules: new Map([[controls, loaded]]),
  newest: loaded,
};

type Given = readonly (QueueEvent | readonly QueueEvent[])[];

function why(events: Given, more: Partial<Situation> = {}, rcpt = 0): Reason {
  const all = letterLog(...events);
  const situation = { message, events: all, history, now: age(100), engineRuns: true, ...more };
  return reasonOf(rcpt, situation, foldLetter(all).state);
}

const ann = 'ann@b.test';
const bob = 'bob@here.test';

describe('why a recipient is where it is', () => {
  it('names the line of the control file that routed it', () => {
    expect(why([letter(bob)]).route).toMatchObject({
      channel: 'local',
      controls,
      loadedAt: birth,
      lines: [{ file: 'locals', line: 2, text: 'here.test' }],
    });
    expect(why([letter(ann)]).route?.lines).toMatchObject([{ file: 'default', line: undefined }]);
  });

  it('shows the arithmetic of the schedule', () => {
    const reason = why(
      [
        letter(ann),
        started([ann], { at: 401 }),
        deferred(0, ann, 1600, { startedAt: 401, at: 402 }),
      ],
      { now: age(500) },
    );
    expect(reason.schedule).toEqual({
      ...{ dueAt: age(1600), by: 'schedule', birth },
      arithmetic: { channel: 'remote', ageSeconds: 401, root: 20, skip: 20, dueAgeSeconds: 1600 },
    });
    expect(reason.lifetime).toEqual({
      ...{ seconds: week, leftSeconds: week - 500, nextIsLast: false },
      line: { file: 'queuelifetime', line: 1, text: String(week) },
    });
    expect(reason.waitsFor).toBe('clock');
    expect(formatReason(reason, age(500))).toEqual([
      'Came in 2026-01-01T00:00:00Z (ESMTP), under the control files rules of the day.',
      'Goes remote b.test, by the control files rules of the day, loaded 2026-01-01T00:00:00Z:',
      '  no line speaks of it: sent to its own MX',
      'Attempt 1 began 2026-01-01T00:06:41Z: the first, due as soon as the letter was in.',
      '  That is 6 min 41 s after it was due.',
      'Attempt 1 ended 2026-01-01T00:06:42Z after 1.0 s: deferred.',
      '  Remote host said: hello',
      'Born 2026-01-01T00:00:00Z; the last attempt began at the age of 401 seconds.',
      '  Its square root is 20; 20 more for a remote retry make 40; squared, that is 1,600 seconds:',
      '  due 2026-01-01T00:26:40Z (in 18 min 20 s).',
      'A letter may wait 7 d (queuelifetime); 6 d 23 h are left.',
      'It waits for the clock: in 18 min 20 s.',
    ]);
  });

  it('foretells the last attempt', () => {
    const reason = why(
      [
        letter(ann),
        started([ann], { at: 600_000 }),
        deferred(0, ann, 632_025, { startedAt: 600_000 }),
      ],
      { now: age(600_001) },
    );
    expect(reason.lifetime).toMatchObject({ leftSeconds: 4799, nextIsLast: true });
  });

  it.each<[string, Given, Partial<Situation>, Reason['waitsFor']]>([
    ['its turn when it is due', [letter(ann)], {}, 'slot'],
    ['the engine when that is not running', [letter(ann)], { engineRuns: false }, 'engine'],
    ['the verdict of a running attempt', [letter(ann), started([ann])], {}, 'verdict'],
    [
      'the engine when that died in an attempt',
      [letter(ann), started([ann])],
      { engineRuns: false },
      'engine',
    ],
    ['an operator while held', [letter(ann), held()], {}, 'operator'],
    ['its bounce', [letter(ann), started([ann]), failed(0, ann), settled([0])], {}, 'bounce'],
    [
      'nothing once delivered',
      [letter(ann), started([ann]), delivered(0, ann), cleanedUp()],
      {},
      'nothing',
    ],
    ['nothing once cancelled', [letter(ann), cancelled(0, ann), cleanedUp()], {}, 'nothing'],
    ['nothing while others wait', [letter(ann, bob), cancelled(0, ann)], {}, 'nothing'],
  ])('waits for %s', (_, events, situation, expected) => {
    const reason = why(events, situation);
    expect(reason.waitsFor).toBe(expected);
    expect(formatReason(reason, age(100)).join('\n')).toMatch(/^[ -~\n]+$/);
  });

  it('knows who asked for a retry, one letter or everything', () => {
    const tried: Given = [letter(ann), started([ann]), deferred(0, ann, 400)];
    expect(why([...tried, retryRequested([0], 50)]).schedule).toEqual({
      ...{ dueAt: age(50), by: 'hand', birth },
      askedBy: { by: 'postmaster', why: 'a test' },
    });
    expect(why([...tried, redirected(0, 'c@d.test', 60)]).schedule).toMatchObject({
      dueAt: age(60),
      by: 'hand',
    });
    const retryAll = { at: age(70), position: 99, by: 'root', why: 'link is back' };
    expect(why(tried, { history: { ...history, retryAlls: [retryAll] } }).schedule).toEqual({
      ...{ dueAt: age(70), by: 'hand', birth },
      askedBy: { by: 'root', why: 'link is back' },
    });
    // Asked for before the deferral: the schedule has spoken since.
    expect(
      why(tried, { history: { ...history, retryAlls: [{ ...retryAll, position: 1 }] } }).schedule
        ?.by,
    ).toBe('schedule');
  });

  it('was not waiting when everything was asked for before it came', () => {
    const all = (seconds: number, position: number) =>
      ({ at: age(seconds), position, by: 'root', why: '' }) as const;
    const first = why([letter(ann), started([ann], { at: 2 })], {
      history: { ...history, retryAlls: [all(-30, 0)] },
    }).started;
    expect([first?.dueAt, first?.waitedMs, first?.askedBy]).toEqual([birth, 2000, undefined]);
    const again: Given = [letter(ann), started([ann]), deferred(0, ann, 400)];
    const second = why([...again, started([ann], { attempt: 2, at: 60 })], {
      history: { ...history, retryAlls: [all(1, 3), all(50, 4.5), all(900, 99)] },
    }).started;
    expect([second?.dueAt, second?.askedBy?.by]).toEqual([age(50), 'root']);
  });

  it('is due at once after an attempt in doubt', () => {
    const doubtful = deferred(0, ann, 5, { at: 5 }) as Extract<
      QueueEvent,
      { type: 'RecipientDeferred' }
    >;
    const reason = why([
      letter(ann),
      started([ann]),
      { ...doubtful, data: { ...doubtful.data, doubt: true } },
    ]);
    expect([reason.schedule?.by, reason.last?.doubt]).toEqual(['doubt', true]);
  });
});

describe('the chain behind a recipient', () => {
  const texts = {
    ...{ me: 'here.test\n', rcpthosts: '# ours\n.other.test\nhere.test\n' },
    'tcp.smtp': '10.:allow,RELAYCLIENT=""\n192.0.2.9:allow,DATABYTES="7"\n',
  };
  const rules = { digest: controls, files: texts, at: birth, position: 0, stream: 'node-a-1' };
  const chain = (peer: string, to: string) =>
    reasonOf(0, situationFor(peer, to), foldLetter(situationFor(peer, to).events).state);
  function situationFor(peer: string, to: string): Situation {
    const [accepted, queued] = letter(to) as [QueueEvent, QueueEvent];
    if (accepted.type !== 'MessageAccepted') throw new Error('a letter begins otherwise');
    const arrival = { protocol: 'ESMTP' as const, peer, door: 'smtp', size: 5 };
    const events = letterLog({ ...accepted, data: { ...accepted.data, arrival } }, queued);
    const known = { rules: new Map([[controls, rules]]), loads: [rules], newest: rules };
    const history = known;
    return { message, events, history, now: birth, engineRuns: true };
  }

  it('begins with the line of rcpthosts that let it in', () => {
    const reason = chain('192.0.2.1:25', 'joe@A.other.test');
    expect(reason.entry).toMatchObject({
      ...{ door: 'smtp', size: 5, controls: { digest: controls, position: 0, stream: 'node-a-1' } },
      admitted: {
        because: 'line',
        lines: [{ file: 'rcpthosts', line: 2, text: '.other.test' }],
      },
    });
    expect(reason.entry?.client).toBeUndefined();
    expect(formatReason(reason, birth)).toContain('  control/rcpthosts:2: .other.test');
  });

  it('begins with the line of tcp.smtp for a client that may relay', () => {
    const reason = chain('10.1.2.3:25', 'joe@far.test');
    expect(reason.entry).toMatchObject({
      client: { line: 1, relay: '', text: '10.:allow,RELAYCLIENT=""' },
      admitted: { because: 'relay' },
    });
    expect(chain('192.0.2.9:1', 'joe@here.test').entry?.client).toMatchObject({ databytes: '7' });
  });

  it('owns up where no line that is on record let it in', () => {
    const reason = chain('192.0.2.1:25', 'joe@far.test');
    expect(reason.entry?.admitted).toEqual({ because: 'unknown', lines: [] });
    expect(formatReason(reason, birth).join()).toContain('morercpthosts.cdb may have');
  });

  it('tells what DNS said, of the other recipients of a transaction, too', () => {
    const reached = {
      dns: [
        { asked: 'MX' as const, name: 'b.test', found: ['10 mx.b.test'], more: 3 },
        { asked: 'address' as const, name: 'mx.b.test' },
      ],
      inVain: ['192.0.2.1:25 timed-out'],
      passedBy: [{ address: '192.0.2.2', untilAt: age(4000) }],
    };
    const first = delivered(0, ann) as Extract<QueueEvent, { type: 'RecipientDelivered' }>;
    const withWay: QueueEvent = { ...first, data: { ...first.data, reached } };
    const two: Given = [letter(ann, 'eve@b.test'), started([ann, 'eve@b.test']), withWay];
    const reason = why([...two, delivered(1, 'eve@b.test'), cleanedUp()], {}, 1);
    expect(reason.last?.reached).toEqual(reached);
    expect(formatReason(reason, age(1))).toEqual(
      expect.arrayContaining([
        '  DNS, the mail exchangers of b.test: 10 mx.b.test and 3 more.',
        '  DNS did not answer for addresses of mx.b.test.',
        '  Tried in vain: 192.0.2.1:25 timed-out.',
        '  Not tried: 192.0.2.2, which had not answered lately; left alone until 2026-01-01T01:06:40Z (see qmail-tcpto).',
      ]),
    );
  });

  it('ends with the bounce: to whom, which letter, and by which lines if it is a double one', () => {
    const files = { me: 'here.test\n', doublebounceto: 'boss\n' };
    const loaded = { digest: controls, files, at: birth, position: 0 };
    const known = { rules: new Map([[controls, loaded]]), loads: [loaded], newest: loaded };
    const bounced = (kind: 'bounce' | 'double-bounce', to: string): QueueEvent => ({
      ...{ type: 'BounceQueued', v: 1, at: age(3), data: { child: 'a-child', kind, to } },
    });
    const failure: Given = [letter(ann), started([ann]), failed(0, ann), settled([0])];
    const history = known;
    const reason = why([...failure, bounced('double-bounce', 'boss@here.test'), cleanedUp()], {
      history,
    });
    expect(reason.bounce).toMatchObject({
      ...{ kind: 'double-bounce', to: 'boss@here.test', child: 'a-child', failed: [0] },
      lines: [{ file: 'doublebounceto', line: 1, text: 'boss' }, { file: 'doublebouncehost' }],
    });
    expect(formatReason(reason, age(9))).toEqual(
      expect.arrayContaining([
        'A double bounce was sent to <boss@here.test> (the letter is itself a bounce, so its postmaster is told), since it failed for good: letter a-child.',
        '  control/doublebounceto:1: boss',
      ]),
    );
    const discarded: QueueEvent = {
      ...{ type: 'BounceDiscarded', v: 1, at: age(3), data: { why: 'triple bounce' } },
    };
    expect(formatReason(why([...failure, discarded]), age(9))).toContain(
      'No bounce is sent, though it failed for good: triple bounce.',
    );
  });

  it('shows the whole reply, whatever a stranger put into it, on one harmless line', () => {
    const text = `Remote host said: \u001b[2J${'x'.repeat(4_000)} the end\n`;
    const said = failed(0, ann) as Extract<QueueEvent, { type: 'RecipientFailed' }>;
    const lines = formatReason(
      why([letter(ann), started([ann]), { ...said, data: { ...said.data, reply: { text } } }]),
      age(1),
    );
    expect(lines.find((line) => line.includes('Remote host said'))).toMatch(/^[ -~]*the end$/);
  });
});

describe('the arithmetic of the schedule', () => {
  it.each([
    ['local', 0, 0, 10, 100],
    ['remote', 0, 0, 20, 400],
    ['remote', 1000, 31, 20, 2601],
    ['local', 137, 11, 10, 441],
    ['local', -5, 0, 10, 100],
  ] as const)(
    '%s at the age of %d s: root %d, skip %d, due at %d s',
    (channel, seconds, root, skip, dueAgeSeconds) => {
      expect(arithmeticOf(birth, age(seconds), channel)).toEqual({
        ...{ channel, root, skip, dueAgeSeconds },
        ageSeconds: Math.max(0, seconds),
      });
    },
  );
});

describe('the line that a rule names', () => {
  const texts = {
    me: 'here.test\n',
    virtualdomains: 'a.test:joe\nA.test:ann\n# a.test:ann\n',
    smtproutes: ':relay.test\n',
  };
  it.each([
    ['virtualdomains: a.test:ann', [{ file: 'virtualdomains', line: 2, text: 'a.test:ann' }]],
    [
      'virtualdomains: b.test:; smtproutes: :relay.test',
      [
        { file: 'virtualdomains', line: undefined, text: 'b.test:' },
        { file: 'smtproutes', line: 1, text: ':relay.test' },
      ],
    ],
    ['locals: here.test', [{ file: 'me', line: 1, text: 'here.test (there is no locals)' }]],
    ['nonsense', []],
  ])('%s', (rule, expected) => {
    expect(linesOf(rule, texts)).toEqual(expected);
  });
});

describe('the history of a node', () => {
  it('has each version of the control files, the newest, and each call to retry everything', async () => {
    const node = (stream: string, type: string, data: unknown, at: number) => ({
      stream,
      event: { type, v: 1, at, data },
    });
    const events = recorded(
      node('node-a-1', 'ControlsLoaded', { digest: 'one', files: { me: 'a' } }, 1),
      node('node-a-1', 'ControlsLoaded', { digest: 'two', files: { me: 'b' } }, 2),
      node('node-a-1', 'RetryAllRequested', { by: 'ann', why: 'x' }, 3),
      node('node-a-2', 'ControlsLoaded', { digest: 'one', files: { me: 'a' } }, 4),
    );
    const log = {
      readStream: async (stream: string) => events.filter((event) => event.stream === stream),
    };
    const read = await readNodeHistory(log, ['node-a-2', 'node-a-1']);
    expect(read.rules.get('one')?.at).toBe(1);
    expect([read.newest?.digest, read.newest?.at]).toEqual(['one', 4]);
    expect(read.retryAlls).toEqual([{ at: 3, position: 3, by: 'ann', why: 'x' }]);
  });
});
