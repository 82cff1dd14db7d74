import { beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { firstValueFrom, NEVER, Observable, of, throwError } from 'rxjs';
import { linkedDirectory, serveDirectory } from '../../src/composition/links/directory-link.ts';
import {
  linkedIntake,
  serveIntake,
  type IntakeServer,
} from '../../src/composition/links/intake-link.ts';
import {
  linkedChannel,
  serveBodies,
  serveChannel,
} from '../../src/composition/links/order-link.ts';
import { parseControls } from '../../src/control/controls.ts';
import type { Intake } from '../../src/ingress/ports.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { Arrival, Envelope } from '../../src/mail/envelope.ts';
import { Trouble } from '../../src/mail/trouble.ts';
import type { Outcome } from '../../src/mail/verdict.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { linkPair } from '../../src/platform/link-memory.ts';
import type { Link } from '../../src/platform/link.ts';
import { openBodies } from '../../src/queue/bodies.ts';
import { queueIntake } from '../../src/queue/intake.ts';
import { openLetters } from '../../src/queue/letters.ts';
import type { AttemptReport, BodySource, Channel, Order } from '../../src/queue/ports.ts';
import { toRoutingRules } from '../../src/queue/routing.ts';
import type { Spool } from '../../src/spool/ports.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { FaultyLog, turnOfTheLoop } from '../support/faulty-log.ts';
import { birth } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';

const envelope: Envelope = { returnPath: 'joe@here.test', recipients: ['ann@far.test'] };
const arrival: Arrival = { protocol: 'ESMTP', peer: '192.0.2.1:25' };

let stored: Map<string, Uint8Array>;
let spool: Spool;
let log: FaultyLog;
let clock: ManualClock;
let server: IntakeServer;

beforeEach(() => {
  stored = new Map();
  spool = memorySpool(stored);
  log = new FaultyLog(new MemoryLog(stored));
  clock = new ManualClock(birth);
  const letters = openLetters({ log });
  const routing = toRoutingRules(parseControls({ me: 'here.test\n' }).controls);
  const rules = () => ({ routing, digest: 'rules' });
  const intake = queueIntake({ letters, bodies: openBodies(spool), rules, clock });
  server = serveIntake(intake, spool);
});

const settle = async (turns = 6): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) await turnOfTheLoop();
};

/** A door's end of a link to the queue. */
function door(): { link: Link; intake: Intake; hangUp(): void } {
  let queueEnd: Link | undefined = undefined;
  const [link, end] = linkPair(
    {},
    server.handlersFor(() => queueEnd!),
  );
  queueEnd = end;
  return { link, intake: linkedIntake(() => link, clock), hangUp: () => link.close() };
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What the log says it accepted. */
async function accepted(): Promise<
  { envelope: Envelope; arrival: Arrival; body: { id: string; bytes: number; sha256: string } }[]
> {
  const events = await log.inner.readAll({ limit: 1_000 });
  return events.flatMap(({ type, data }) => (type === 'MessageAccepted' ? [data as never] : []));
}

describe('while no letter can be taken', () => {
  it('a door hears why at once, and nothing of the letter is written anywhere', async () => {
    const full = new Trouble('log-full', { tryAgain: true, peer: 'disk full (#4.3.1)' });
    let refusal: Trouble | undefined = full;
    const intake = { accept: async () => void accepted.push(1) };
    const accepted: number[] = [];
    server = serveIntake(intake, spool, () => refusal);
    const { intake: here } = door();
    const small = here.begin();
    await small.write(Buffer.from('small\r\n'));
    await expect(small.accept(envelope, arrival)).rejects.toMatchObject({ code: 'log-full' });
    const large = here.begin();
    await expect(large.write(randomBytes(100_000))).rejects.toMatchObject({
      code: 'log-full',
      peer: 'disk full (#4.3.1)',
    });
    expect([accepted, stored.size]).toEqual([[], 0]);
    refusal = undefined;
    const later = here.begin();
    await later.write(Buffer.from('small\r\n'));
    await later.accept(envelope, arrival);
    expect(accepted).toEqual([1]);
  });

  it('a large letter that was begun before may still end well', async () => {
    const refusals: Trouble[] = [];
    server = serveIntake({ accept: async () => undefined }, spool, () => refusals[0]);
    const letter = door().intake.begin();
    await letter.write(randomBytes(100_000));
    refusals.push(new Trouble('log-full', { tryAgain: true, peer: 'little room' }));
    await letter.write(randomBytes(1_000));
    await expect(letter.accept(envelope, arrival)).resolves.toBe(letter.id);
  });

  it('of five thousand large letters of one door the next hears that it is too much', async () => {
    const { link } = door();
    const ask = (n: number) => link.request('upload.open', { id: idOf(n) });
    await Promise.all(Array.from({ length: 5_000 }, (_, n) => ask(n)));
    await expect(ask(5_000)).rejects.toMatchObject({ code: 'busy' });
  });
});

describe('a letter from a door', () => {
  it('that is small goes over at once with its envelope', async () => {
    const letter = door().intake.begin();
    await letter.write(Buffer.from('Subject: hi\r\n'));
    await letter.write(Buffer.from('\r\nhello\r\n'));
    expect(log.asked).toEqual([]);
    expect(await letter.accept(envelope, arrival)).toBe(letter.id);
    const [event] = await accepted();
    expect(event).toMatchObject({ envelope, arrival, body: { id: letter.id, bytes: 22 } });
    expect(Buffer.from(stored.get(letter.id)!).toString()).toBe('Subject: hi\r\n\r\nhello\r\n');
  });

  it('may be empty', async () => {
    const letter = door().intake.begin();
    await letter.accept(envelope, arrival);
    expect((await accepted())[0]?.body.bytes).toBe(0);
  });

  it.each([
    ['many small pieces', 2_000],
    ['pieces larger than a frame', 1_500_000],
  ])('that is large goes over as it comes, in %s', async (_, size) => {
    const bytes = randomBytes(4_000_000);
    const letter = door().intake.begin();
    for (let at = 0; at < bytes.length; at += size)
      await letter.write(bytes.subarray(at, at + size));
    await letter.accept(envelope, arrival);
    const [event] = await accepted();
    expect(event?.body).toEqual({ id: letter.id, bytes: bytes.length, sha256: sha256(bytes) });
    expect(sha256(stored.get(letter.id)!)).toBe(sha256(bytes));
  });

  it.each([
    ['that makes it large', [40_000, 40_000]],
    ['of a large one', [70_000, 10_000]],
    ['of a very large one', [300_000, 300_000]],
  ])('arrives whole though nobody waits for the last piece, one %s', async (_, sizes) => {
    const pieces = sizes.map((size) => randomBytes(size));
    const letter = door().intake.begin();
    await letter.write(pieces[0]!);
    const written = letter.write(pieces[1]!);
    await Promise.all([letter.accept(envelope, arrival), written]);
    const bytes = Buffer.concat(pieces);
    const [event] = await accepted();
    expect(event?.body).toEqual({ id: letter.id, bytes: bytes.length, sha256: sha256(bytes) });
    expect(sha256(stored.get(letter.id)!)).toBe(sha256(bytes));
  });

  it('of single bytes is put together before the queue is asked', async () => {
    const { link } = door();
    const asked: string[] = [];
    const counted: Link = {
      ...{ closed: link.closed, close: () => link.close() },
      notify: (method, args, bytes) => link.notify(method, args, bytes),
      request: (method, args, options) => (asked.push(method), link.request(method, args, options)),
    };
    const letter = linkedIntake(() => counted, clock).begin();
    const bytes = randomBytes(100_000);
    for (let at = 0; at < bytes.length; at += 1) await letter.write(bytes.subarray(at, at + 1));
    await letter.accept(envelope, arrival);
    expect(sha256(stored.get(letter.id)!)).toBe(sha256(bytes));
    // 64 KiB at first, then 16 KiB at a time.
    expect(asked).toEqual(['upload.open', ...Array(4).fill('upload.write'), 'accept']);
  });

  it('is one of many at once, from several doors', async () => {
    const doors = [door(), door(), door()];
    const letters = Array.from({ length: 60 }, async (_, no) => {
      const letter = doors[no % 3]!.intake.begin();
      await letter.write(Buffer.alloc(no * 3_000, no));
      return letter.accept(envelope, arrival);
    });
    const ids = await Promise.all(letters);
    expect(new Set((await accepted()).map(({ body }) => body.id))).toEqual(new Set(ids));
    ids.forEach((id, no) => expect(stored.get(id)?.byteLength).toBe(no * 3_000));
  });

  it('that is given up leaves nothing', async () => {
    const { intake } = door();
    const [small, large] = [intake.begin(), intake.begin()];
    await small.write(Buffer.from('x'));
    await large.write(Buffer.alloc(200_000));
    small.abandon();
    large.abandon();
    large.abandon();
    await settle();
    expect([stored.size, log.asked.length]).toEqual([0, 0]);
  });

  it('whose door goes away half-way leaves nothing', async () => {
    const { intake, hangUp } = door();
    const left: string[] = [];
    const inner = spool.open.bind(spool);
    spool.open = async (id) => {
      const writer = await inner(id);
      left.push(id);
      return {
        ...writer,
        abandon: async () => {
          left.splice(left.indexOf(id), 1);
          await writer.abandon();
        },
      };
    };
    for (const letter of [intake.begin(), intake.begin()])
      await letter.write(Buffer.alloc(200_000));
    expect(left).toHaveLength(2);
    hangUp();
    await settle();
    expect([left, stored.size]).toEqual([[], 0]);
  });

  it.each([
    ['full', 'log-full', 'disk full (#4.3.1)'],
    ['refused', 'log-unavailable', 'temporary failure (#4.3.0)'],
  ] as const)('on a log that is %s is refused in its words', async (fault, code, peer) => {
    log.fault = () => fault;
    const letter = door().intake.begin();
    await expect(letter.accept(envelope, arrival)).rejects.toMatchObject({
      code,
      peer,
      tryAgain: true,
    });
  });

  it('that is large leaves nothing on a log that is full', async () => {
    log.fault = () => 'full';
    const letter = door().intake.begin();
    await letter.write(Buffer.alloc(200_000));
    await expect(letter.accept(envelope, arrival)).rejects.toMatchObject({ code: 'log-full' });
    expect(stored.size).toBe(0);
  });

  it('that is large stays where nobody knows whether the log has it', async () => {
    log.fault = () => 'lost';
    const letter = door().intake.begin();
    await letter.write(Buffer.alloc(200_000));
    await expect(letter.accept(envelope, arrival)).rejects.toMatchObject({
      code: 'log-unavailable',
    });
    expect([...stored.keys()]).toEqual([letter.id]);
    expect(await accepted()).toHaveLength(1);
  });

  it('that does not fit on the disk is refused, and its bytes are thrown away', async () => {
    let abandoned = 0;
    spool.open = async (id) => ({
      id,
      write: () => Promise.reject(new Trouble('spool-full', { tryAgain: true, peer: 'disk full' })),
      stage: () => Promise.reject(new Error('never')),
      abandon: async () => void (abandoned += 1),
    });
    const letter = door().intake.begin();
    await expect(letter.write(Buffer.alloc(100_000))).rejects.toMatchObject({ code: 'spool-full' });
    letter.abandon();
    await settle();
    expect(abandoned).toBe(1);
  });

  it('without a queue is refused for now', async () => {
    const intake = linkedIntake(() => undefined, clock);
    const letter = intake.begin();
    await letter.write(Buffer.from('x'));
    await expect(letter.write(Buffer.alloc(100_000))).rejects.toMatchObject({ code: 'link-down' });
    await expect(letter.accept(envelope, arrival)).rejects.toMatchObject({
      code: 'link-down',
      tryAgain: true,
    });
    letter.abandon();
  });

  it('whose queue goes away before the answer is refused for now', async () => {
    const [link, queue] = linkPair({}, { accept: () => new Promise<void>(() => undefined) });
    const answer = linkedIntake(() => link, clock)
      .begin()
      .accept(envelope, arrival);
    await settle();
    queue.close();
    await expect(answer).rejects.toMatchObject({ code: 'link-down', tryAgain: true });
  });
});

describe('a door that is not one of ours', () => {
  const odd = [
    '',
    'x',
    '../../etc/passwd',
    idOf(1).toUpperCase(),
    `${idOf(1)}\n`,
    7,
    undefined,
    {},
    null,
  ];

  it.each(odd)('cannot name a letter %j', async (id) => {
    const { link } = door();
    await expect(link.request('upload.open', { id })).rejects.toMatchObject({ code: 'refused' });
    const letter = { id, envelope, arrival, uploaded: false };
    await expect(link.request('accept', letter)).rejects.toMatchObject({ code: 'refused' });
    expect([stored.size, log.asked.length]).toEqual([0, 0]);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no recipients', { returnPath: '' }],
    ['a number for a return path', { returnPath: 7, recipients: [] }],
    ['a string for recipients', { returnPath: '', recipients: 'ann@far.test' }],
    ['an object for a recipient', { returnPath: '', recipients: [{}] }],
  ])('cannot hand in %s for an envelope', async (_, strange) => {
    const { link } = door();
    const letter = { id: idOf(1), envelope: strange, arrival, uploaded: false };
    await expect(link.request('accept', letter)).rejects.toMatchObject({
      code: 'refused',
      tryAgain: false,
    });
    expect(log.asked).toEqual([]);
  });

  it('cannot write to what it has not opened, or what another door has', async () => {
    const [mine, other] = [door(), door()];
    await other.link.request('upload.open', { id: idOf(1) });
    await expect(
      mine.link.request('upload.write', { id: idOf(1) }, { bytes: Buffer.from('x') }),
    ).rejects.toMatchObject({ code: 'refused' });
    const letter = { id: idOf(1), envelope, arrival, uploaded: true };
    await expect(mine.link.request('accept', letter)).rejects.toMatchObject({ code: 'refused' });
    await expect(other.link.request('upload.open', { id: idOf(1) })).rejects.toMatchObject({
      code: 'refused',
    });
    mine.link.notify('upload.abandon', { id: idOf(1) });
    await settle();
    await other.link.request('upload.write', { id: idOf(1) }, { bytes: Buffer.from('x') });
  });

  it('cannot put another body under a letter that is there', async () => {
    const { link, intake } = door();
    const letter = intake.begin();
    await letter.write(Buffer.from('mine'));
    await letter.accept(envelope, arrival);
    clock.advance(1);
    const again = { id: letter.id, envelope, arrival, uploaded: false };
    await link.request('accept', again, { bytes: Buffer.from('yours') });
    expect(Buffer.from(stored.get(letter.id)!).toString()).toBe('mine');
    expect(await accepted()).toHaveLength(1);
  });
});

// ---- orders

const delivered: AttemptReport = {
  outcomes: [{ rcpt: 0, kind: 'delivered', reply: { text: 'ok\n', code: 250 } }],
};

async function textOf(body: BodySource): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function orderWith(bytes: Uint8Array): Promise<Order> {
  const { ref, inline } = await spool.stage(idOf(1), bytes);
  if (inline !== undefined) stored.set(ref.id, inline);
  return {
    ...{
      message: idOf(1),
      attempt: 3,
      startedAt: birth,
      channel: 'remote',
      hop: { host: 'far.test' },
    },
    ...{ returnPath: 'joe@here.test', recipients: [{ rcpt: 0, address: 'ann@far.test' }] },
    ...{ body: await openBodies(spool).source(ref), eightBit: true, utf8: false },
  };
}

/** The queue's channel, and the process that serves it. */
function channelAt(attempt: Channel['attempt']): { channel: Channel; queue: Link; far: Link } {
  const [queue, far] = linkPair(serveBodies(spool), serveChannel({ attempt }));
  return {
    channel: linkedChannel(
      () => queue,
      () => 60_000,
    ),
    queue,
    far,
  };
}

describe('an order', () => {
  it('reaches the channel whole, and so does the report', async () => {
    const order = await orderWith(Buffer.from('hello\r\n'));
    let seen: Order | undefined;
    let text = '';
    const { channel } = channelAt((arrived) => {
      seen = arrived;
      return new Observable((subscriber) => {
        void textOf(arrived.body).then((bytes) => {
          text = bytes.toString();
          subscriber.next({ ...delivered, forwards: [] });
        });
      });
    });
    expect(await firstValueFrom(channel.attempt(order))).toEqual({ ...delivered, forwards: [] });
    const { body, ...rest } = seen!;
    const { body: sent, ...wanted } = order;
    expect([rest, body.ref, text]).toEqual([wanted, sent.ref, 'hello\r\n']);
    expect(Buffer.from(body.inline!).toString()).toBe('hello\r\n');
  });

  it.each([0, 1, 65_536, 65_537, 262_144, 700_001])(
    'brings a body of %d bytes, twice if need be',
    async (size) => {
      const bytes = randomBytes(size);
      const read: Buffer[] = [];
      const { channel } = channelAt(
        ({ body }) =>
          new Observable((subscriber) => {
            void (async () => {
              read.push(await textOf(body), await textOf(body));
              subscriber.next(delivered);
            })();
          }),
      );
      await firstValueFrom(channel.attempt(await orderWith(bytes)));
      expect(read.map((each) => each.equals(bytes))).toEqual([true, true]);
    },
  );

  it.each([
    ['damaged', (bytes: Uint8Array) => void bytes.fill(0, 300_000, 300_001)],
    ['gone', () => stored.clear()],
  ])('whose body is %s never brings the whole of it', async (_, spoil) => {
    const bytes = new Uint8Array(700_000).fill(120);
    const order = await orderWith(bytes);
    spoil(stored.get(idOf(1))!);
    let got = 0;
    const { channel } = channelAt(
      ({ body }) =>
        new Observable((subscriber) => {
          void (async () => {
            try {
              for await (const piece of body.read()) got += piece.byteLength;
              subscriber.next(delivered);
            } catch (cause) {
              subscriber.error(cause);
            }
          })();
        }),
    );
    await expect(firstValueFrom(channel.attempt(order))).rejects.toMatchObject({ tryAgain: true });
    expect(got).toBeLessThan(700_000);
  });

  it('that is taken back stops the attempt', async () => {
    let stopped = false;
    const { channel } = channelAt(() => new Observable(() => () => (stopped = true)));
    const subscription = channel.attempt(await orderWith(Buffer.from('x'))).subscribe();
    await settle();
    expect(stopped).toBe(false);
    subscription.unsubscribe();
    await settle();
    expect(stopped).toBe(true);
  });

  it('whose channel dies errors, so that the attempt is in doubt; and the attempt stops', async () => {
    let stopped = false;
    const { channel, queue } = channelAt(() => new Observable(() => () => (stopped = true)));
    const report = firstValueFrom(channel.attempt(await orderWith(Buffer.from('x'))));
    await settle();
    queue.close();
    await expect(report).rejects.toMatchObject({ code: 'link-down' });
    await settle();
    expect(stopped).toBe(true);
  });

  it('without a channel says that nobody tried, and nothing is in doubt, for nothing was sent', async () => {
    const channel = linkedChannel(
      () => undefined,
      () => 1_000,
    );
    const report = await firstValueFrom(channel.attempt(await orderWith(Buffer.from('x'))));
    expect(report.outcomes).toMatchObject([{ rcpt: 0, kind: 'deferred', untried: true }]);
    expect(report.outcomes[0]).not.toHaveProperty('doubt');
  });

  it('whose channel was there and says that nobody tried errors: it could be asked for ever', async () => {
    const idle: Outcome = { ...{ rcpt: 0, kind: 'deferred', untried: true }, reply: { text: '' } };
    const { channel } = channelAt(() => of({ outcomes: [idle] }));
    await expect(
      firstValueFrom(channel.attempt(await orderWith(Buffer.from('x')))),
    ).rejects.toMatchObject({ peer: expect.stringContaining('mangled') });
  });

  it.each<[string, Observable<AttemptReport>]>([
    ['has a bug', throwError(() => new TypeError('a bug'))],
    ['says nothing', new Observable((subscriber) => subscriber.complete())],
  ])('whose channel %s errors', async (_, report$) => {
    const { channel } = channelAt(() => report$);
    await expect(
      firstValueFrom(channel.attempt(await orderWith(Buffer.from('x')))),
    ).rejects.toMatchObject({
      code: 'refused',
    });
  });

  it('whose channel takes longer than the ceiling and some errors', async () => {
    const [queue] = linkPair({}, serveChannel({ attempt: () => NEVER }));
    const channel = linkedChannel(
      () => queue,
      () => -9_990,
    );
    await expect(
      firstValueFrom(channel.attempt(await orderWith(Buffer.from('x')))),
    ).rejects.toMatchObject({
      code: 'link-timeout',
    });
  });

  const reply = { text: 'ok\n' };
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a word', 'delivered'],
    ['no outcomes', {}],
    ['outcomes that are no list', { outcomes: {} }],
    ['an outcome that is null', { outcomes: [null] }],
    ['an outcome for nobody', { outcomes: [{ kind: 'delivered', reply }] }],
    ['an outcome of no kind', { outcomes: [{ rcpt: 0, reply }] }],
    ['an outcome without a reply', { outcomes: [{ rcpt: 0, kind: 'failed' }] }],
    ['a reply without words', { outcomes: [{ rcpt: 0, kind: 'failed', reply: { text: 7 } }] }],
    ['forwards that are no list', { outcomes: [], forwards: 7 }],
    [
      'a forward to a number',
      { outcomes: [], forwards: [{ rcpt: 0, returnPath: '', recipients: [7], prefix: '' }] },
    ],
  ])('is not taken as reported by %s', async (_, value) => {
    const [queue] = linkPair({}, { attempt: () => ({ value }) });
    const channel = linkedChannel(
      () => queue,
      () => 1_000,
    );
    await expect(
      firstValueFrom(channel.attempt(await orderWith(Buffer.from('x')))),
    ).rejects.toMatchObject({
      code: 'refused',
    });
  });
});

describe('a channel that asks for bodies', () => {
  const ask = (args: unknown) => {
    const [far] = linkPair({}, serveBodies(spool));
    return far.request('body.read', args);
  };

  it('gets at most a piece at a time', async () => {
    const { body } = await orderWith(Buffer.alloc(700_000));
    const { bytes } = await ask({ ref: body.ref, offset: 0, length: 1e9 });
    expect(bytes?.byteLength).toBe(256 * 1024);
  });

  it.each([
    ['a path', '../../etc/passwd'],
    ['nothing', undefined],
    ['a number', 7],
  ])('gets nothing for %s', async (_, id) => {
    await expect(
      ask({ ref: { id, bytes: 1, sha256: '' }, offset: 0, length: 1 }),
    ).rejects.toBeInstanceOf(Trouble);
    await expect(ask(undefined)).rejects.toBeInstanceOf(Trouble);
  });

  it('hears that a body is gone', async () => {
    const { body } = await orderWith(Buffer.alloc(700_000));
    stored.clear();
    await expect(ask({ ref: body.ref, offset: 0, length: 10 })).rejects.toMatchObject({
      code: 'body-missing',
    });
  });
});

describe('who lives here', () => {
  it.each([true, false])('is answered over the link: %p', async (answer) => {
    const asked: string[] = [];
    const receives = async (address: string) => (asked.push(address), answer);
    const [link] = linkPair({}, serveDirectory({ receives }));
    expect(await linkedDirectory(() => link).receives('joe@here.test')).toBe(answer);
    expect(asked).toEqual(['joe@here.test']);
  });

  it('cannot be told without the local role, or when that has trouble', async () => {
    await expect(linkedDirectory(() => undefined).receives('joe@here.test')).rejects.toMatchObject({
      ...{ code: 'link-down', tryAgain: true, peer: 'cannot check recipients now (#4.3.0)' },
    });
    const receives = () => Promise.reject(new Trouble('busy', { tryAgain: true, peer: 'later' }));
    const [link] = linkPair({}, serveDirectory({ receives }));
    await expect(linkedDirectory(() => link).receives('joe@here.test')).rejects.toMatchObject({
      code: 'busy',
    });
  });

  it('is nobody when the answer is no answer', async () => {
    const [link] = linkPair({}, { receives: () => ({ value: 'yes' }) });
    expect(await linkedDirectory(() => link).receives('joe@here.test')).toBe(false);
  });
});
