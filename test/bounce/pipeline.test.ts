import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { from, type Observable, type Subscription } from 'rxjs';
import { bounces } from '../../src/bounce/pipeline.ts';
import { parseControls } from '../../src/control/controls.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { Trouble } from '../../src/mail/trouble.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { openBodies } from '../../src/queue/bodies.ts';
import { queueIntake } from '../../src/queue/intake.ts';
import { openLetters, type Letters } from '../../src/queue/letters.ts';
import { toRoutingRules } from '../../src/queue/routing.ts';
import type { Spool } from '../../src/spool/ports.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { everything, settle, settleWithPauses, typesOf } from '../support/post-office.ts';
import { age, birth, outcome, report, start } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';

let stored: Map<string, Uint8Array>;
let log: FaultyLog;
let spool: Spool;
let clock: ManualClock;
let texts: { [name: string]: string };
let troubles: string[];
let fatal: unknown[];
const running: Subscription[] = [];

beforeEach(() => {
  stored = new Map();
  log = new FaultyLog(new MemoryLog(stored));
  spool = memorySpool(stored);
  clock = new ManualClock(age(60));
  texts = { me: 'here.test\n' };
  troubles = [];
  fatal = [];
});

afterEach(() => {
  running.splice(0).forEach((subscription) => subscription.unsubscribe());
  expect(fatal).toEqual([]);
});

const controls = () => parseControls(texts).controls;

function office() {
  const letters = openLetters({ log });
  const bodies = openBodies(spool);
  const rules = () => ({ routing: toRoutingRules(controls()), digest: 'rules' });
  return { letters, bodies, intake: queueIntake({ letters, bodies, rules, clock }) };
}

/** A letter whose every recipient failed, so that it owes a bounce. */
async function failed(
  id: MessageId,
  returnPath = 'joe@far.test',
  text = 'Subject: hi\r\n\r\nhello\r\n',
) {
  const { letters, intake } = office();
  const recipients = ['ann@here.test', 'bob@here.test'];
  const body = await spool.stage(id, Buffer.from(text));
  const arrival = { protocol: 'ESMTP' } as const;
  await intake.accept({ id, envelope: { returnPath, recipients }, arrival, body });
  await letters.handle(id, start(recipients));
  const outcomes = [0, 1].map((rcpt) => outcome('failed', rcpt, { text: `No ${rcpt}.\n` }));
  await letters.handle(id, report(outcomes, { at: 50 }));
}

/** One life of the bounce pipeline. */
function bounceOff(owing$: Observable<MessageId>, letters?: Letters): Subscription {
  const parts = office();
  const subscription = bounces({
    ...parts,
    ...(letters === undefined ? {} : { letters }),
    ...{ owing$, spool, clock, settings: controls, pauseMs: 0 },
    received: (id, at) => `Received: for bounce ${id} at ${(at - birth) / 1000}\r\n`,
    onTrouble: (message, cause) => troubles.push(`${message.slice(-2)} ${String(cause)}`),
  }).subscribe({ error: (cause: unknown) => fatal.push(cause) });
  running.push(subscription);
  return subscription;
}

type Accepted = {
  envelope: object;
  arrival: { protocol: string };
  body: { id: string; bytes: number; sha256: string };
  parent?: { message: string };
};

async function childrenOf(id: MessageId): Promise<RecordedEvent[]> {
  return (await everything(log)).filter(
    ({ type, data }) => type === 'MessageAccepted' && (data as Accepted).parent?.message === id,
  );
}

async function textOf({ data }: RecordedEvent): Promise<string> {
  return Buffer.from(await spool.read((data as Accepted).body)).toString();
}

describe('a letter that failed', () => {
  it('is bounced to its return path, and ends', async () => {
    await failed(idOf(1));
    bounceOff(from([idOf(1)]));
    await settle();
    const [child] = await childrenOf(idOf(1));
    expect(child?.data).toMatchObject({
      envelope: { returnPath: '', recipients: ['joe@far.test'] },
      arrival: { protocol: 'bounce' },
      parent: { message: idOf(1), why: 'bounce' },
    });
    const text = await textOf(child!);
    expect(text).toMatch(/^Received: for bounce .* at 50\r\nDate: 1 Jan 2026 00:00:50 -0000\r\n/);
    expect(text).toContain('<ann@here.test>:\r\nNo 0.\r\n\r\n<bob@here.test>:\r\nNo 1.\r\n\r\n');
    expect(text).toMatch(/Return-Path: <joe@far.test>\r\nSubject: hi\r\n\r\nhello\r\n$/);
    const story = await log.inner.readStream(`message-${idOf(1)}`);
    expect(story.slice(-2).map(({ type }) => type)).toEqual(['BounceQueued', 'MessageCleanedUp']);
    expect(story.at(-2)?.data).toEqual({
      child: child!.stream.slice('message-'.length),
      ...{ kind: 'bounce', to: 'joe@far.test' },
    });
    expect(troubles).toEqual([]);
  });

  it('and was a bounce goes to the postmaster', async () => {
    await failed(idOf(1), '');
    bounceOff(from([idOf(1)]));
    await settle();
    const [child] = await childrenOf(idOf(1));
    expect(child?.data).toMatchObject({
      envelope: { returnPath: '#@[]', recipients: ['postmaster@here.test'] },
      parent: { why: 'double-bounce' },
    });
  });

  it('and was a double bounce is thrown away, and says so', async () => {
    await failed(idOf(1), '#@[]');
    bounceOff(from([idOf(1)]));
    await settle();
    expect(await childrenOf(idOf(1))).toEqual([]);
    const types = await typesOf(log, idOf(1));
    expect(types.slice(-2)).toEqual(['BounceDiscarded', 'MessageCleanedUp']);
  });

  it('is bounced once, however often it is named', async () => {
    await failed(idOf(1));
    bounceOff(from([idOf(1), idOf(1), idOf(1)]));
    await settle();
    bounceOff(from([idOf(1)]));
    await settle();
    expect(await childrenOf(idOf(1))).toHaveLength(1);
    const types = await typesOf(log, idOf(1));
    expect(types.filter((type) => type === 'BounceQueued')).toHaveLength(1);
  });

  it('is bounced once for all its recipients, with reports short enough for so many', async () => {
    const { letters, intake } = office();
    const recipients = Array.from({ length: 10_000 }, (_, no) => `u${no}@far.test`);
    const id = idOf(1);
    const body = await spool.stage(id, Buffer.from('Subject: hi\r\n\r\nhello\r\n'));
    const envelope = { returnPath: 'joe@far.test', recipients };
    await intake.accept({ id, envelope, arrival: { protocol: 'ESMTP' }, body });
    // In two attempts, the second half first.
    for (const [attempt, half] of [[1, 5_000] as const, [2, 0] as const]) {
      const rcpts = Array.from({ length: 5_000 }, (_, no) => half + no);
      await letters.handle(id, start(recipients.slice(half, half + 5_000), { rcpts }));
      const text = `no ${'x'.repeat(4_990)}\n`;
      const outcomes = rcpts.map((rcpt) => outcome('failed', rcpt, { text }));
      await letters.handle(id, report(outcomes, { attempt }));
    }
    bounceOff(from([id]));
    await settle();
    const children = await childrenOf(id);
    expect(children).toHaveLength(1);
    const text = await textOf(children[0]!);
    const told = [...text.matchAll(/^<(u\d+@far\.test)>:\r$/gm)].map(([, address]) => address);
    expect(told).toEqual([...recipients.slice(5_000), ...recipients.slice(0, 5_000)]);
    expect(text).toMatch(/^no x{497} \[\.\.\.\]\r\n\r\n/m);
    expect(text.length).toBeLessThan(6_000_000);
  });

  it('is bounced with all of a large body', async () => {
    const text = 'Subject: hi\r\n\r\n' + 'x'.repeat(600_000);
    await failed(idOf(1), 'joe@far.test', text);
    bounceOff(from([idOf(1)]));
    await settle();
    const [child] = await childrenOf(idOf(1));
    expect((await textOf(child!)).endsWith(text)).toBe(true);
  });
});

describe('a stop between the bounce and the record of it', () => {
  const parentRefused = (stream: string) => stream === `message-${idOf(1)}`;

  it.each([
    ['', () => undefined],
    [' under other settings', () => (texts = { me: 'new.test\n', bouncefrom: 'robot\n' })],
  ])('makes no second one after the restart%s', async (_, reload) => {
    await failed(idOf(1));
    log.fault = (stream) => (parentRefused(stream) ? 'refused' : 'none');
    const first = bounceOff(from([idOf(1)]));
    await settle();
    first.unsubscribe();
    expect(await childrenOf(idOf(1))).toHaveLength(1);
    expect(await typesOf(log, idOf(1))).not.toContain('BounceQueued');
    log.fault = () => 'none';
    clock.advance(1_000);
    reload();
    bounceOff(from([idOf(1)]));
    await settle();
    const [child, ...more] = await childrenOf(idOf(1));
    expect(more).toEqual([]);
    expect(await textOf(child!)).toContain('From: MAILER-DAEMON@here.test');
    const story = await log.inner.readStream(`message-${idOf(1)}`);
    expect(story.at(-2)?.data).toMatchObject({ child: child!.stream.slice('message-'.length) });
  });

  it('within one life is seen to by trying again', async () => {
    await failed(idOf(1));
    let refusals = 4;
    log.fault = (stream) => (parentRefused(stream) && (refusals -= 1) >= 0 ? 'refused' : 'none');
    bounceOff(from([idOf(1)]));
    await settleWithPauses();
    expect(await childrenOf(idOf(1))).toHaveLength(1);
    expect(troubles).toHaveLength(2);
    expect((await typesOf(log, idOf(1))).at(-1)).toBe('MessageCleanedUp');
  });
});

describe('a letter whose body is lost', () => {
  const sorry = '(The message itself could not be read back any more.)\r\n';
  const large = 'Subject: hi\r\n\r\n' + 'x'.repeat(100_000);

  it.each([
    ['small and gone', 'Subject: hi\r\n\r\nhello\r\n', () => stored.clear()],
    ['large and gone', large, () => stored.clear()],
    ['large and damaged', large, () => stored.get(idOf(1))!.fill(0x20)],
  ])('(%s) is bounced with an apology', async (_, text, lose) => {
    await failed(idOf(1), 'joe@far.test', text);
    lose();
    bounceOff(from([idOf(1)]));
    await settle();
    const [child] = await childrenOf(idOf(1));
    expect(await textOf(child!)).toMatch(/Return-Path: <joe@far.test>\r\n\(The message itself/);
    expect((await textOf(child!)).endsWith(sorry)).toBe(true);
    expect((await typesOf(log, idOf(1))).at(-1)).toBe('MessageCleanedUp');
  });

  it('only for now is bounced with its body, later', async () => {
    await failed(idOf(1));
    let troublesLeft = 2;
    const read = spool.read.bind(spool);
    spool = {
      ...spool,
      read: async (...args) => {
        if ((troublesLeft -= 1) < 0) return read(...args);
        throw new Trouble('log-unavailable', { tryAgain: true, peer: 'later' });
      },
    };
    bounceOff(from([idOf(1)]));
    await settleWithPauses();
    const [child] = await childrenOf(idOf(1));
    expect(await textOf(child!)).toContain('hello\r\n');
  });
});

describe('letters that cannot be bounced', () => {
  it.each([
    ['for now', { tryAgain: true, peer: 'damaged' }],
    ['ever', { tryAgain: false, peer: 'damaged' }],
  ])('(%s) hold up nobody else', async (_, trouble) => {
    const bad = Array.from({ length: 20 }, (__, no) => idOf(100 + no));
    await failed(idOf(1));
    const { letters } = office();
    const state = letters.state.bind(letters);
    letters.state = async (id) => {
      if (bad.includes(id)) throw new Trouble('log-damaged', trouble);
      return state(id);
    };
    bounceOff(from([...bad, idOf(1)]), letters);
    await settleWithPauses(3);
    expect(await childrenOf(idOf(1))).toHaveLength(1);
    expect(troubles.length).toBeGreaterThanOrEqual(20);
  });
});

describe('many letters at once', () => {
  it('are bounced a few at a time', async () => {
    const ids = Array.from({ length: 40 }, (_, no) => idOf(no));
    for (const id of ids) await failed(id, 'joe@far.test', 'x'.repeat(100_000));
    let [open, most] = [0, 0];
    const inner = spool;
    spool = {
      ...inner,
      open: async (id) => {
        open += 1;
        most = Math.max(most, open);
        const writer = await inner.open(id);
        return {
          ...writer,
          stage: async () => {
            await settle(1);
            open -= 1;
            return writer.stage();
          },
        };
      },
    };
    bounceOff(from(ids));
    await settle(80);
    const bounced = (await everything(log)).filter(({ type }) => type === 'BounceQueued');
    expect(bounced).toHaveLength(40);
    expect(most).toBeLessThanOrEqual(8);
  });
});
