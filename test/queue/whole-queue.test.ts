import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NEVER, of, throwError, type Observable } from 'rxjs';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import type { AttemptReport, Order } from '../../src/queue/ports.ts';
import type { Slots } from '../../src/queue/scheduler.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import type { VerdictKind } from '../../src/mail/verdict.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import {
  everything,
  openPostOffice,
  pass,
  settle,
  settleWithPauses,
  typesOf,
  type PostOffice,
} from '../support/post-office.ts';
import { age, birth, week } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';

let log: FaultyLog;
let clock: ManualClock;
let office: PostOffice;
let orders: Order[];
let answer: (order: Order) => Observable<AttemptReport>;
let slots: Slots;
let controls: { [name: string]: string };
let bodies: Map<string, Uint8Array>;

const reportOf = (order: Order, kind: VerdictKind): AttemptReport => ({
  outcomes: order.recipients.map(({ rcpt }) => ({
    ...{ rcpt, kind },
    reply: { text: `${kind}.\n`, code: 250 },
  })),
});
const all = (kind: VerdictKind) => (order: Order) => of(reportOf(order, kind));

async function open(): Promise<void> {
  office = await openPostOffice({
    ...{ log, clock, slots: () => slots, controls: () => controls },
    spool: memorySpool(bodies),
    channel: {
      attempt: (order) => {
        orders.push(order);
        return answer(order);
      },
    },
  });
}

beforeEach(async () => {
  bodies = new Map();
  log = new FaultyLog(new MemoryLog(bodies));
  clock = new ManualClock(birth);
  orders = [];
  answer = all('delivered');
  slots = { local: 10, remote: 20 };
  controls = {};
  await open();
});

afterEach(() => {
  office.crash();
  expect(office.fatal).toEqual([]);
});

const post = (no: number, ...recipients: string[]) =>
  office.post(idOf(no), 'joe@here.test', recipients);
const ways = () =>
  orders.map(({ recipients }) => recipients.map(({ address }) => address).join(' '));

describe('a letter', () => {
  it('goes straight through: attempt recorded, made, recorded, cleaned up', async () => {
    await post(1, 'a@far.test');
    await settle();
    expect(log.loaded).toEqual([]);
    expect(await typesOf(log, idOf(1))).toEqual([
      ...['MessageAccepted', 'MessageQueued', 'AttemptStarted'],
      ...['RecipientDelivered', 'MessageCleanedUp'],
    ]);
    expect(office.keeper.agenda.rows.recipients).toBe(0);
  });

  it('carries its body, its envelope and its number to the channel', async () => {
    await office.post(idOf(1), 'joe@here.test', ['a@far.test', 'b@far.test'], 'hello\r\n');
    await settle();
    expect(orders[0]).toMatchObject({
      ...{ message: idOf(1), attempt: 1, startedAt: birth, channel: 'remote' },
      ...{ hop: { host: 'far.test' }, returnPath: 'joe@here.test', eightBit: false, utf8: false },
      recipients: [
        { rcpt: 0, address: 'a@far.test' },
        { rcpt: 1, address: 'b@far.test' },
      ],
    });
    expect(Buffer.from(orders[0]!.body.inline!).toString()).toBe('hello\r\n');
  });

  it('is tried again by the schedule and fails after a week, with the extra line', async () => {
    answer = all('deferred');
    await post(1, 'a@far.test');
    await pass(clock, age(week + 10_000));
    const story = await log.inner.readStream(`message-${idOf(1)}`);
    const ages = story.flatMap(({ type, at }) =>
      type === 'AttemptStarted' ? [(at - birth) / 1000] : [],
    );
    expect(ages).toHaveLength(40);
    expect(ages.slice(0, 4)).toEqual([0, 400, 1600, 3600]);
    expect(ages.at(-1)).toBe(608_400);
    const failure = story.find(({ type }) => type === 'RecipientFailed');
    expect(failure?.data).toMatchObject({
      expired: true,
      reply: {
        text: "deferred.\nI'm not going to try again; this message has been in the queue too long.\n",
      },
    });
  });

  it('is forgotten by none of its recipients, whatever their verdicts', async () => {
    answer = (order) => all(order.channel === 'local' ? 'failed' : 'delivered')(order);
    await post(1, 'nobody@here.test', 'a@far.test', 'b@else.test');
    await settle();
    const types = await typesOf(log, idOf(1));
    expect(types.filter((type) => type === 'RecipientDelivered')).toHaveLength(2);
    expect(types.filter((type) => type === 'RecipientFailed')).toHaveLength(1);
    expect(types.slice(-3)).toEqual(['MessageSettled', 'BounceQueued', 'MessageCleanedUp']);
  });
});

describe('VERP', () => {
  it('gives each recipient a transaction and a return path of its own, all at once', async () => {
    answer = () => NEVER;
    const list = ['fred@far.test', 'ann@far.test', 'bob@far.test'];
    await office.post(idOf(1), 'list-@here.test-@[]', list);
    await settle();
    expect(orders.map(({ returnPath, recipients }) => [returnPath, recipients.length])).toEqual([
      ['list-fred=far.test@here.test', 1],
      ['list-ann=far.test@here.test', 1],
      ['list-bob=far.test@here.test', 1],
    ]);
    expect(orders.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(orders.map(({ firstTry }) => firstTry)).toEqual([true, true, true]);
  });
});

describe('slots', () => {
  it('are respected, whatever waits', async () => {
    answer = () => NEVER;
    slots = { local: 2, remote: 3 };
    for (let no = 0; no < 20; no += 1) await post(no, `a@host${no}.test`, `user${no}@here.test`);
    await settle();
    const busy = (channel: string) => orders.filter((order) => order.channel === channel).length;
    expect([busy('local'), busy('remote')]).toEqual([2, 3]);
  });

  it('of a channel that is away are none; its letters go when it is back', async () => {
    slots = { local: 10, remote: 0 };
    await post(1, 'a@far.test', 'joe@here.test');
    await settle();
    expect(ways()).toEqual(['joe@here.test']);
    slots = { local: 10, remote: 20 };
    office.scheduler.stir();
    await settle();
    expect(ways()).toEqual(['joe@here.test', 'a@far.test']);
  });
});

describe('the rules of now', () => {
  it('decide the way of each attempt', async () => {
    answer = all('deferred');
    await post(1, 'a@far.test', 'b@far.test', 'c@else.test');
    await settle();
    controls = {
      virtualdomains: 'far.test:joe-far\n',
      smtproutes: 'else.test:smart.test:2525\n',
    };
    answer = all('delivered');
    orders.length = 0;
    await pass(clock, age(400));
    expect(ways().sort()).toEqual(['c@else.test', 'joe-far-a@far.test joe-far-b@far.test']);
    expect(orders.find(({ channel }) => channel === 'remote')?.hop).toEqual({
      host: 'else.test',
      relay: { host: 'smart.test', port: 2525 },
    });
    const [, , third] = (await log.inner.readStream(`message-${idOf(1)}`)).filter(
      ({ type }) => type === 'AttemptStarted',
    );
    expect(third?.data).toMatchObject({ controls: JSON.stringify(controls) });
  });

  it('may part recipients who went together', async () => {
    answer = all('deferred');
    await post(1, 'a@far.test', 'b@far.test', 'c@far.test');
    await settle();
    controls = { virtualdomains: 'b@far.test:joe\n' };
    orders.length = 0;
    answer = all('delivered');
    await pass(clock, age(400));
    await settle();
    expect(ways().sort()).toEqual(['a@far.test c@far.test', 'joe-b@far.test']);
    expect(await typesOf(log, idOf(1))).toContain('MessageCleanedUp');
  });
});

describe('an operator', () => {
  const act = (name: 'retry' | 'hold' | 'release' | 'cancel' | 'redirect', more: object = {}) =>
    office.operator.act({ act: name, message: idOf(1), by: 'op', why: 'a test', ...more });

  beforeEach(async () => {
    answer = all('deferred');
    await post(1, 'a@far.test', 'b@else.test');
    await settle();
    orders.length = 0;
    answer = all('delivered');
  });

  it('has a letter tried at once', async () => {
    expect(await act('retry', { rcpts: [1] })).toBe(1);
    await settle();
    expect(ways()).toEqual(['b@else.test']);
  });

  it('holds a letter however often it falls due, and lets it go', async () => {
    await act('hold');
    await pass(clock, age(10_000));
    expect(ways()).toEqual([]);
    await act('release');
    await settle();
    expect(ways().sort()).toEqual(['a@far.test', 'b@else.test']);
  });

  it('cancels', async () => {
    expect(await act('cancel')).toBe(3);
    await pass(clock, age(10_000));
    expect([ways(), office.keeper.agenda.rows.recipients]).toEqual([[], 0]);
  });

  it('sends a recipient elsewhere, at once', async () => {
    await act('redirect', { rcpts: [0], to: 'ann@here.test' });
    await settle();
    expect(ways()).toEqual(['ann@here.test']);
  });

  it('is told when there is nothing of the kind', async () => {
    await expect(
      office.operator.act({ act: 'retry', message: idOf(9), by: 'op', why: 'a test' }),
    ).rejects.toMatchObject({ code: 'not-found' });
    await expect(act('redirect')).rejects.toMatchObject({ code: 'refused' });
    expect(await act('release')).toBe(0);
  });
});

describe('a forward', () => {
  const forwards = (order: Order): AttemptReport => ({
    ...reportOf(order, 'delivered'),
    forwards: [
      {
        ...{ rcpt: 0, returnPath: 'joe@here.test', recipients: ['x@far.test', 'y@far.test'] },
        prefix: 'Delivered-To: joe@here.test\r\n',
      },
    ],
  });

  beforeEach(() => {
    answer = (order) =>
      order.channel === 'local' ? of(forwards(order)) : of(reportOf(order, 'delivered'));
  });

  it('is accepted before the delivery is recorded, and named by it', async () => {
    await post(1, 'joe@here.test');
    await settle();
    const events = await everything(log);
    const names = events.map(({ type, stream }) => `${type} ${stream === `message-${idOf(1)}`}`);
    expect(names.indexOf('MessageAccepted false')).toBeLessThan(
      names.indexOf('RecipientDelivered true'),
    );
    const verdict = events.find(({ type }) => type === 'RecipientDelivered')!.data as {
      children: string[];
    };
    const child = verdict.children[0]!;
    const [accepted] = await log.inner.readStream(`message-${child}`);
    expect(accepted?.data).toMatchObject({
      envelope: { returnPath: 'joe@here.test', recipients: ['x@far.test', 'y@far.test'] },
      arrival: { protocol: 'forward' },
      parent: { message: idOf(1), why: 'forward' },
    });
    const text = Buffer.from(orders[1]!.body.inline!).toString();
    // It is a letter of its own, and a hop: a loop of forwards ends by their number at last.
    expect(text).toMatch(
      /^Received: \(waybill invoked for forward\) id \S+;\r\n  .* [-+]\d{4}\r\nDelivered-To: joe@here.test\r\nSubject: /,
    );
    expect(text).toContain(child);
  });

  it('is the same letter when recording the delivery had to be repeated', async () => {
    let refusals = 6;
    log.fault = (_, events) =>
      events.some(({ type }) => type === 'RecipientDelivered') && (refusals -= 1) >= 0
        ? 'refused'
        : 'none';
    await post(1, 'joe@here.test');
    await settleWithPauses();
    const accepted = (await everything(log)).filter(({ type }) => type === 'MessageAccepted');
    expect(accepted).toHaveLength(2);
    expect(ways()).toEqual(['joe@here.test', 'x@far.test y@far.test']);
  });

  it('whose body is lost meanwhile defers the delivery instead', async () => {
    answer = (order) => {
      bodies.clear();
      return of(forwards(order));
    };
    await office.post(idOf(1), 'joe@here.test', ['joe@here.test'], 'x'.repeat(100_000));
    await settle();
    expect(await typesOf(log, idOf(1))).toContain('RecipientDeferred');
    expect(office.scheduler.active.local).toBe(0);
  });
});

describe('a body that cannot be read', () => {
  it('defers its letter, and nothing is sent', async () => {
    slots = { local: 0, remote: 0 };
    await post(1, 'a@far.test');
    office.bodies.forget(idOf(1));
    bodies.clear();
    slots = { local: 10, remote: 20 };
    office.scheduler.stir();
    await settleWithPauses(2);
    expect(orders).toEqual([]);
    const story = await log.inner.readStream(`message-${idOf(1)}`);
    expect(story.map(({ type }) => type).slice(2)).toEqual(['AttemptStarted', 'RecipientDeferred']);
    expect(story[3]?.data).toMatchObject({
      dueAt: age(400),
      reply: { text: 'qmail-spawn unable to open message. (#4.3.0)\n' },
    });
    expect(office.scheduler.active.remote).toBe(0);
  });
});

describe('on a bad log', () => {
  const refuse = (type: string, times: number) => {
    let left = times;
    log.fault = (_, events) => (events[0]?.type === type && (left -= 1) >= 0 ? 'refused' : 'none');
  };

  it('an attempt that cannot be recorded is not made until it can be', async () => {
    refuse('AttemptStarted', 6);
    await post(1, 'a@far.test');
    await settleWithPauses();
    expect(ways()).toEqual(['a@far.test']);
    expect(office.troubles.length).toBeGreaterThan(0);
  });

  it('an attempt whose record was only thought to have failed is not lost', async () => {
    let asked = 0;
    log.fault = (_, events) =>
      events[0]?.type !== 'AttemptStarted' || (asked += 1) > 2
        ? 'none'
        : asked === 1
          ? 'lost'
          : 'refused';
    await post(1, 'a@far.test');
    await settleWithPauses();
    expect(ways()).toEqual([]);
    expect((await typesOf(log, idOf(1))).slice(2)).toEqual(['AttemptStarted', 'RecipientDeferred']);
    await pass(clock, age(400));
    expect(ways()).toEqual(['a@far.test']);
    expect(await typesOf(log, idOf(1))).toContain('MessageCleanedUp');
  });

  it('a verdict is recorded when that works again, and delivered once', async () => {
    refuse('RecipientDelivered', 9);
    await post(1, 'a@far.test');
    await settleWithPauses();
    expect(ways()).toEqual(['a@far.test']);
    expect(await typesOf(log, idOf(1))).toContain('MessageCleanedUp');
  });
});

describe('after a crash', () => {
  it('an attempt under way is in doubt, said so, and made again', async () => {
    answer = () => NEVER;
    await post(1, 'a@far.test');
    await settle();
    office.crash();
    answer = all('delivered');
    await open();
    expect(office.recovered).toEqual({ inDoubt: 1, unreadable: [] });
    await settle();
    const story = await log.inner.readStream(`message-${idOf(1)}`);
    expect(story.map(({ type }) => type).slice(2)).toEqual([
      ...['AttemptStarted', 'RecipientDeferred', 'AttemptStarted'],
      ...['RecipientDelivered', 'MessageCleanedUp'],
    ]);
    expect(story[3]?.data).toMatchObject({ doubt: true, attempt: 1 });
    expect(orders.map(({ firstTry }) => firstTry)).toEqual([true, undefined]);
  });

  it('what waits keeps its times', async () => {
    answer = all('deferred');
    await post(1, 'a@far.test');
    await settle();
    office.crash();
    orders.length = 0;
    await open();
    await pass(clock, age(399));
    expect(ways()).toEqual([]);
    await pass(clock, age(400));
    expect(ways()).toEqual(['a@far.test']);
  });
});

describe('a channel whose process is gone', () => {
  it('leaves the attempt in doubt; it is made again by the schedule', async () => {
    answer = () => throwError(() => new Error('gone'));
    await post(1, 'a@far.test');
    await settle();
    answer = all('delivered');
    await pass(clock, age(400));
    const story = await log.inner.readStream(`message-${idOf(1)}`);
    expect(story[3]?.data).toMatchObject({ doubt: true, dueAt: age(400) });
    expect(story.at(-1)?.type).toBe('MessageCleanedUp');
  });
});
