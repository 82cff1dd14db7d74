import { beforeEach, describe, expect, it } from '@jest/globals';
import { defer, EMPTY, NEVER, of, Subject, throwError, timer, map, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { Trouble } from '../../src/mail/trouble.ts';
import type { Outcome } from '../../src/mail/verdict.ts';
import { dispatch, type Parts } from '../../src/queue/pipeline.ts';
import type { AttemptReport, Channel, Order } from '../../src/queue/ports.ts';
import type { Job } from '../../src/queue/scheduler.ts';
import { outcome } from '../support/queue-mail.ts';

/** One job to one recipient, by its letter's name. */
const job = (message: string, channel: 'local' | 'remote' = 'remote'): Job => ({
  ...{
    no: 1,
    message,
    rcpts: [0],
    channel,
    lane: `${channel} a`,
    troubled: false,
    takenAt: 0,
    rows: [0],
  },
});

const orderOf = ({ message, channel }: Job): Order => ({
  ...{ message, attempt: 1, startedAt: 0, channel, hop: { host: 'a' }, returnPath: '' },
  ...{ recipients: [{ rcpt: 0, address: 'x@a' }], eightBit: false, utf8: false },
  body: {
    ref: { id: message, bytes: 0, sha256: '' },
    inline: new Uint8Array(0),
    read: async function* () {
      yield new Uint8Array(0);
    },
  },
});

const delivered: AttemptReport = { outcomes: [outcome('delivered', 0)] };
const logTrouble = new Trouble('log-unavailable', { tryAgain: true, peer: 'later' });
/** As the log says it: for a client another try makes sense, for us it does not. */
const damaged = new Trouble('log-damaged', { tryAgain: true, peer: 'no' });

let time: TestScheduler;
let said: string[];

beforeEach(() => {
  said = [];
  time = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
});

const say = (what: string): void => void said.push(`${time.now()} ${what}`);

/** What a promise of the recorder would be, in the test's own time. */
const soon = <T>(what: Observable<T>): Promise<T> => what as unknown as Promise<T>;

type Script = {
  readonly jobs: Job[];
  readonly channel?: (order: Order) => Observable<AttemptReport>;
  readonly start?: (job: Job) => Observable<Order | undefined>;
  readonly takeBack?: () => Observable<void>;
  readonly record?: (order: Order, report: AttemptReport) => Observable<void>;
  readonly forMs?: number;
  readonly untilWell$?: Observable<unknown>;
};

/** Plays the pipeline for a while of the test's own time, and tells what it did and when. */
function play(script: Script): string[] {
  const { jobs, forMs = 10_000 } = script;
  const stirred$ = new Subject<void>();
  const channel: Channel = {
    attempt: (order) => {
      say(`deliver ${order.message}`);
      return script.channel?.(order) ?? of(delivered);
    },
  };
  const parts: Parts = {
    scheduler: {
      stirred$,
      take: () => jobs.shift(),
      started: ({ message }, rcpts) => say(`started ${message} ${rcpts.join()}`),
      free: ({ message }, trouble) => say(`free ${message} ${trouble}`),
      release: ({ message }) => say(`release ${message}`),
      park: (message, forMs) => say(`park ${message}${forMs === undefined ? '' : ' for a while'}`),
    },
    channels: { local: channel, remote: channel },
    recorder: {
      start: (each) => soon(script.start?.(each) ?? of(orderOf(each))),
      takeBack: ({ message }) => {
        say(`take back ${message}`);
        return soon(script.takeBack?.() ?? of(undefined));
      },
      record: (order, report) => {
        const [first] = report.outcomes;
        const doubt = first?.doubt === true ? ' in doubt' : '';
        say(`record ${order.message} ${first?.kind ?? 'nothing'}${doubt}`);
        return soon(script.record?.(order, report) ?? of(undefined));
      },
    },
    onTrouble: ({ message }) => say(`trouble with ${message}`),
    ...(script.untilWell$ && { untilWell$: script.untilWell$ }),
  };
  time.run(({ hot, expectObservable }) => {
    hot('a').subscribe(() => undefined);
    const subscription = dispatch(parts).subscribe({
      error: (cause: unknown) => say(`ERROR ${String(cause)}`),
      complete: () => say('COMPLETE'),
    });
    time.schedule(() => subscription.unsubscribe(), forMs);
    expectObservable(NEVER).toBe('');
  });
  return said;
}

const after = <T>(ms: number, value: T): Observable<T> => timer(ms).pipe(map(() => value));
const broken = (cause: unknown) => throwError(() => cause);

describe('a job', () => {
  it('is recorded, made, recorded, and its slot given back, in this order', () => {
    const said_ = play({
      jobs: [job('x')],
      start: (each) => after(1, orderOf(each)),
      channel: () => after(10, delivered),
      record: () => after(1, undefined),
    });
    expect(said_).toEqual([
      ...[
        '1 started x 0',
        '1 deliver x',
        '11 free x false',
        '11 record x delivered',
        '12 release x',
      ],
    ]);
  });

  it('does not wait for another', () => {
    const slow = (order: Order) => after(order.message === 'slow' ? 100 : 1, delivered);
    expect(play({ jobs: [job('slow'), job('quick')], channel: slow }).slice(-6)).toEqual([
      ...['1 free quick false', '1 record quick delivered', '1 release quick'],
      ...['100 free slow false', '100 record slow delivered', '100 release slow'],
    ]);
  });

  it('that comes to nothing gives its slot back after a while, and nothing was learned of its lane', () => {
    expect(play({ jobs: [job('x')], start: () => of(undefined) })).toEqual(['1000 release x']);
  });

  it('under way at the end is let go of, and so is its slot', () => {
    expect(play({ jobs: [job('x')], channel: () => NEVER, forMs: 5 })).toEqual([
      ...['0 started x 0', '0 deliver x', '5 release x'],
    ]);
  });
});

describe('a channel', () => {
  it.each([
    ['breaks', () => broken(new Error('a bug'))],
    ['loses its process', () => broken(new Trouble('link-down', { tryAgain: true, peer: 'gone' }))],
    ['says nothing at all', () => EMPTY],
    ['breaks before it has begun', () => { throw new Error('a bug'); }], // prettier-ignore
  ])('that %s leaves the attempt in doubt, and says nothing of the destination', (_, channel) => {
    expect(play({ jobs: [job('x'), job('y')], channel })).toEqual([
      ...[
        '0 started x 0',
        '0 deliver x',
        '0 free x false',
        '0 record x deferred in doubt',
        '0 release x',
      ],
      ...[
        '0 started y 0',
        '0 deliver y',
        '0 free y false',
        '0 record y deferred in doubt',
        '0 release y',
      ],
    ]);
  });

  it('is heard once', () => {
    expect(play({ jobs: [job('x')], channel: () => of(delivered, delivered) })).toHaveLength(5);
  });

  it('that broke does not put a text of its own into the report', () => {
    let text = '';
    play({
      jobs: [job('x')],
      channel: () => broken(new Error('secret\r\nbytes')),
      record: (_, { outcomes }) => of(void (text = outcomes[0]!.reply.text)),
    });
    expect(text).toBe('Delivery was interrupted: temporary failure (#4.3.0) Possible duplicate!\n');
  });

  const silent = { ...outcome('deferred', 0), reply: { text: 'CNAME lookup failed\n' } };
  it.each<[string, boolean | undefined, Outcome[]]>([
    ['nobody made', undefined, [{ ...silent, untried: true }]],
    ['found nobody', true, [silent]],
    ['found nobody for several', true, [silent, silent]],
    ['found somebody busy', false, [outcome('deferred', 0)]],
    ['delivered', false, [outcome('delivered', 0)]],
    ['was refused', false, [{ ...silent, kind: 'failed' }]],
    ['delivered to one', false, [silent, outcome('delivered', 1)]],
    ['said nothing', false, []],
    ['lost the connection half-way', false, [{ ...silent, doubt: true }]],
  ])('that %s puts its lane into trouble: %p', (_, trouble, outcomes) => {
    const said_ = play({ jobs: [job('x')], channel: () => of({ outcomes }) });
    expect(said_).toContain(`0 free x ${trouble}`);
    expect(said_.at(-1)).toBe('0 release x');
  });
});

describe('when the log cannot be written', () => {
  it('nothing is delivered that could not be recorded, and nothing spins', () => {
    const jobs = [job('x')];
    const said_ = play({ jobs, start: () => broken(logTrouble), takeBack: () => of(undefined) });
    expect(said_).toEqual(['0 trouble with x', '1000 take back x', '1000 release x']);
  });

  it('what may stand in it after all is taken back as soon as it can be', () => {
    let tries = 0;
    const takeBack = () => ((tries += 1) < 4 ? broken(logTrouble) : of(undefined));
    const said_ = play({ jobs: [job('x')], start: () => broken(logTrouble), takeBack });
    expect(said_.filter((line) => line.includes('take back'))).toEqual([
      ...['1000 take back x', '2000 take back x', '3000 take back x', '4000 take back x'],
    ]);
    expect(said_.at(-1)).toBe('4000 release x');
  });

  it('a verdict is kept and recorded later; nothing is delivered a second time', () => {
    let tries = 0;
    const record = () => ((tries += 1) < 4 ? broken(logTrouble) : of(undefined));
    expect(play({ jobs: [job('x')], record })).toEqual([
      ...[
        '0 started x 0',
        '0 deliver x',
        '0 free x false',
        '0 record x delivered',
        '0 trouble with x',
      ],
      ...['1000 record x delivered', '1000 trouble with x'],
      ...['2000 record x delivered', '2000 trouble with x'],
      ...['3000 record x delivered', '3000 release x'],
    ]);
  });
});

describe('while the log is known to be in trouble', () => {
  it('nobody asks it again before it is well', () => {
    let tries = 0;
    const record = () => ((tries += 1) < 2 ? broken(logTrouble) : of(undefined));
    const start = (each: Job) => (each.message === 'x' ? broken(logTrouble) : of(orderOf(each)));
    const untilWell$ = defer(() => (time.now() < 7_500 ? after(7_500 - time.now(), 0) : of(0)));
    expect(play({ jobs: [job('x'), job('y')], start, record, untilWell$ })).toEqual([
      ...[
        '0 trouble with x',
        '0 started y 0',
        '0 deliver y',
        '0 free y false',
        '0 record y delivered',
      ],
      ...['0 trouble with y', '7500 take back x', '7500 release x'],
      ...['7500 record y delivered', '7500 release y'],
    ]);
  });
});

describe('one bad letter does not stop the post', () => {
  it.each([
    ['a bug', new Error('a bug'), ''],
    ['a damaged story', damaged, ' for a while'],
  ])('(%s at the start): it is parked, others go on', (_, cause, how) => {
    const start = (each: Job) => (each.message === 'bad' ? broken(cause) : of(orderOf(each)));
    expect(play({ jobs: [job('bad'), job('good')], start })).toEqual([
      ...['0 trouble with bad', `0 park bad${how}`],
      ...[
        '0 started good 0',
        '0 deliver good',
        '0 free good false',
        '0 record good delivered',
        '0 release good',
      ],
      '1000 release bad',
    ]);
  });

  it('(a bug after the delivery): it is parked, others go on', () => {
    const record = (order: Order) =>
      order.message === 'bad' ? broken(new Error('a bug')) : of(undefined);
    const said_ = play({ jobs: [job('bad'), job('good')], record });
    expect(said_).toContain('0 park bad');
    expect(said_).toContain('0 release good');
    expect(said_.at(-1)).toBe('1000 release bad');
  });
});
