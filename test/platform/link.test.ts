import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { duplexPair, type Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { Trouble } from '../../src/mail/trouble.ts';
import { linkPair } from '../../src/platform/link-memory.ts';
import { openLink, type Handlers, type LinkLimits } from '../../src/platform/link.ts';
import { turnOfTheLoop } from '../support/faulty-log.ts';

const settle = async (turns = 5): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) await turnOfTheLoop();
};

/** A link and the bare other end of its stream. */
function bare(handlers: Handlers = {}, limits: Partial<LinkLimits> = {}) {
  const [a, b] = duplexPair();
  const bugs: unknown[] = [];
  const link = openLink(a, handlers, { limits, onBug: (cause) => bugs.push(cause) });
  const sent: Buffer[] = [];
  b.on('data', (chunk: Buffer) => sent.push(chunk));
  b.on('error', () => undefined);
  let gone = false;
  void link.closed.then(() => (gone = true));
  return {
    link,
    far: b,
    bugs,
    framesSent: () => framesIn(Buffer.concat(sent)),
    isGone: () => gone,
  };
}

function frame(json: unknown, bytes: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(4 + text.length + bytes.length, 0);
  head.writeUInt32BE(text.length, 4);
  return Buffer.concat([head, text, bytes]);
}

function framesIn(all: Buffer): { json: { [name: string]: unknown }; bytes: string }[] {
  const frames: { json: { [name: string]: unknown }; bytes: string }[] = [];
  for (let at = 0; at < all.length;) {
    const [rest, text] = [all.readUInt32BE(at), all.readUInt32BE(at + 4)];
    frames.push({
      json: JSON.parse(all.toString('utf8', at + 8, at + 8 + text)) as { [name: string]: unknown },
      bytes: all.toString('latin1', at + 8 + text, at + 4 + rest),
    });
    at += 4 + rest;
  }
  return frames;
}

const echo: Handlers = { echo: (args, bytes) => ({ value: args, bytes }) };

describe('a request', () => {
  it('is answered, with its bytes unharmed', async () => {
    const [link] = linkPair({}, echo);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, no) => no));
    const answer = await link.request('echo', { words: ['ü', '\n'] }, { bytes });
    expect(answer.value).toEqual({ words: ['ü', '\n'] });
    expect(Buffer.from(answer.bytes!).equals(bytes)).toBe(true);
  });

  it('may have no answer to speak of, and no bytes', async () => {
    const [link] = linkPair({}, { quiet: () => undefined, ...echo });
    expect(await link.request('quiet', undefined)).toEqual({ value: undefined, bytes: undefined });
    const { bytes } = await link.request('echo', 1, { bytes: new Uint8Array(0) });
    expect(bytes).toBeUndefined();
  });

  it('goes both ways at once', async () => {
    const [left, right] = linkPair(
      { who: () => ({ value: 'left' }) },
      { who: () => ({ value: 'right' }) },
    );
    const answers = await Promise.all([left.request('who', 0), right.request('who', 0)]);
    expect(answers.map(({ value }) => value)).toEqual(['right', 'left']);
  });

  it('may be asked back before it is answered', async () => {
    const [link] = linkPair(
      { name: () => ({ value: 'joe' }) },
      {
        greet: async (_, __, { link: caller }) => ({
          value: `hello ${String((await caller.request('name', 0)).value)}`,
        }),
      },
    );
    expect((await link.request('greet', 0)).value).toBe('hello joe');
  });

  it('does not wait for those before it', async () => {
    let letGo = (): void => undefined;
    const slow = new Promise<void>((resolve) => (letGo = resolve));
    const [link] = linkPair({}, { slow: () => slow, ...echo });
    const first = link.request('slow', 0);
    expect((await link.request('echo', 1)).value).toBe(1);
    letGo();
    await first;
  });

  it('is one of a thousand, each with its own answer', async () => {
    const [link] = linkPair(
      {},
      {
        double: async (args, bytes) => {
          await settle((args as number) % 4);
          return { value: (args as number) * 2, bytes };
        },
      },
    );
    const numbers = Array.from({ length: 1_000 }, (_, no) => no);
    const answers = await Promise.all(
      numbers.map((no) => link.request('double', no, { bytes: Buffer.from(`body ${no}`) })),
    );
    expect(answers.map(({ value }) => value)).toEqual(numbers.map((no) => no * 2));
    expect(answers.map(({ bytes }) => Buffer.from(bytes!).toString())).toEqual(
      numbers.map((no) => `body ${no}`),
    );
  });

  it('that nobody serves is refused', async () => {
    const [link] = linkPair({}, echo);
    for (const method of ['nothing', 'constructor', '__proto__', 'toString']) {
      await expect(link.request(method, 0)).rejects.toMatchObject({
        code: 'refused',
        tryAgain: false,
      });
    }
  });

  it('that fails carries the trouble over', async () => {
    const trouble = new Trouble('spool-full', {
      tryAgain: true,
      peer: 'disk full',
      detail: 'quota',
    });
    const [link] = linkPair({}, { fail: () => Promise.reject(trouble) });
    await expect(link.request('fail', 0)).rejects.toMatchObject({
      ...{ code: 'spool-full', tryAgain: true, peer: 'disk full', message: 'quota' },
    });
  });

  it('that meets a bug is refused, and the bug is told here', async () => {
    const { far, bugs, framesSent } = bare({
      fail: () => {
        throw new TypeError('a bug');
      },
    });
    far.write(frame({ k: 'q', i: 7, m: 'fail' }));
    await settle();
    expect(bugs).toMatchObject([{ message: 'a bug' }]);
    expect(framesSent()[0]?.json).toMatchObject({
      k: 'e',
      i: 7,
      c: 'refused',
      p: 'internal error (#4.3.0)',
    });
  });

  it('whose answer cannot be said fails alone', async () => {
    const [link] = linkPair({}, { odd: () => ({ value: 1n }), ...echo });
    await expect(link.request('odd', 0)).rejects.toMatchObject({ code: 'refused' });
    expect((await link.request('echo', 1)).value).toBe(1);
  });
});

describe('a request that takes too long', () => {
  it('fails in time, and the far side is told', async () => {
    let aborted = false;
    const [link] = linkPair(
      {},
      {
        slow: (_, __, { signal }) =>
          new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => {
              aborted = true;
              resolve();
            }),
          ),
        ...echo,
      },
    );
    await expect(link.request('slow', 0, { timeoutMs: 5 })).rejects.toMatchObject({
      code: 'link-timeout',
    });
    await settle();
    expect(aborted).toBe(true);
    expect((await link.request('echo', 1)).value).toBe(1);
  });

  it('may be answered late; nobody minds', async () => {
    const { link, far, framesSent, isGone } = bare();
    await expect(link.request('slow', 0, { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'link-timeout',
    });
    await settle();
    expect(framesSent().map(({ json }) => json['k'])).toEqual(['q', 'x']);
    far.write(frame({ k: 'r', i: 1, v: 'late' }));
    far.write(frame({ k: 'e', i: 99, c: 'busy', t: true, p: '', d: '' }));
    await settle();
    expect(isGone()).toBe(false);
  });

  it('can be taken back', async () => {
    const { link, framesSent } = bare();
    const abort = new AbortController();
    const asked = link.request('slow', 0, { signal: abort.signal });
    abort.abort();
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'link-down', message: 'taken back' });
    await settle();
    expect(framesSent().map(({ json }) => json['k'])).toEqual(['q', 'x']);
  });

  it('taken back beforehand is never sent', async () => {
    const { link, framesSent } = bare();
    const asked = link.request('slow', 0, { signal: AbortSignal.abort() });
    await expect(asked).rejects.toMatchObject({ code: 'link-down', message: 'taken back' });
    await settle();
    expect(framesSent()).toEqual([]);
  });
});

describe('a notice', () => {
  it('is heard, with its bytes, and gets no answer', async () => {
    const heard: unknown[] = [];
    const { far, framesSent, bugs } = bare({
      told: (args, bytes) => void heard.push([args, bytes === undefined ? 0 : bytes.byteLength]),
      bad: () => Promise.reject(new Error('a bug')),
    });
    far.write(frame({ k: 'n', m: 'told', a: 'news' }, Buffer.from('abc')));
    far.write(frame({ k: 'n', m: 'bad' }));
    far.write(frame({ k: 'n', m: 'unknown' }));
    await settle();
    expect([heard, framesSent(), bugs.length]).toEqual([[['news', 3]], [], 1]);
  });
});

describe('a link that ends', () => {
  it('fails every open request, and every later one; notices are lost', async () => {
    const [left, right] = linkPair({}, { slow: () => new Promise<void>(() => undefined) });
    const open = [left.request('slow', 0), left.request('slow', 0, { timeoutMs: 60_000 })];
    await settle();
    right.close();
    for (const asked of open)
      await expect(asked).rejects.toMatchObject({ code: 'link-down', tryAgain: true });
    await left.closed;
    await expect(left.request('slow', 0)).rejects.toMatchObject({ code: 'link-down' });
    left.notify('slow', 0);
    left.close();
  });

  it('lets go of what it served', async () => {
    let aborted = false;
    const { far, isGone } = bare({
      slow: (_, __, { signal }) =>
        new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve();
          }),
        ),
    });
    far.write(frame({ k: 'q', i: 1, m: 'slow' }));
    await settle();
    far.destroy();
    await settle();
    far.end();
    await settle();
    expect([aborted, isGone()]).toEqual([true, true]);
  });

  it('by our own will first sends what was said', async () => {
    const heard: unknown[] = [];
    const [left, right] = linkPair({}, { told: (args) => void heard.push(args) });
    left.notify('told', 1);
    left.notify('told', 2);
    left.close();
    await Promise.all([left.closed, right.closed]);
    expect(heard).toEqual([1, 2]);
  });

  it('does not take an error of its stream for a bug of the process', async () => {
    const [a] = duplexPair();
    const link = openLink(a, {});
    const asked = link.request('x', 0);
    a.destroy(new Error('reset'));
    await expect(asked).rejects.toMatchObject({ code: 'link-down' });
    await link.closed;
  });
});

describe('frames', () => {
  const requests = Buffer.concat([
    frame({ k: 'q', i: 1, m: 'echo', a: 'one' }, Buffer.from('body one')),
    frame({ k: 'n', m: 'echo', a: 'two' }),
    frame({ k: 'q', i: 2, m: 'echo', a: { ü: 'three' } }, Buffer.from([0, 255, 10])),
    frame({ k: 'q', i: 3, m: 'echo' }),
  ]);

  async function heardIn(chunks: readonly Buffer[]): Promise<unknown[]> {
    const heard: unknown[] = [];
    const { far } = bare({
      echo: (args, bytes) =>
        void heard.push([args, bytes && Buffer.from(bytes).toString('latin1')]),
    });
    for (const chunk of chunks) far.write(chunk);
    await settle();
    return heard;
  }

  it('are the same however the stream cuts them', async () => {
    const whole = await heardIn([requests]);
    expect(whole).toHaveLength(4);
    for (let at = 1; at < requests.length; at += 1) {
      expect(await heardIn([requests.subarray(0, at), requests.subarray(at)])).toEqual(whole);
    }
    const single = [...requests].map((byte) => Buffer.from([byte]));
    expect(await heardIn(single)).toEqual(whole);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(requests.length), { maxLength: 12 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), requests.length];
        const chunks = at.slice(1).map((end, no) => requests.subarray(at[no], end));
        expect(await heardIn(chunks)).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  });

  it('carry any bytes and any words there and back', async () => {
    const [link] = linkPair({}, echo);
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.uint8Array({ maxLength: 5_000, size: 'max' }),
        async (words, bytes) => {
          const answer = await link.request('echo', words, { bytes });
          expect(answer.value).toEqual(JSON.parse(JSON.stringify(words)));
          expect(Buffer.from(answer.bytes ?? []).equals(Buffer.from(bytes))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  const limits = { jsonBytes: 100, bodyBytes: 50 };
  const u32 = (...numbers: number[]) => {
    const bytes = Buffer.alloc(4 * numbers.length);
    numbers.forEach((number, no) => bytes.writeUInt32BE(number, 4 * no));
    return bytes;
  };

  it.each<[string, Buffer]>([
    ['with too long a JSON part', u32(4 + 101, 101)],
    ['with too many bytes', u32(4 + 10 + 51, 10)],
    ['of four thousand million bytes', u32(0xffffffff, 10)],
    ['shorter than its JSON part', u32(4 + 10, 20)],
    ['shorter than its own head', u32(3, 0)],
    ['of zeros', Buffer.alloc(64)],
    ['that is no JSON', frame('{"k":"q",')],
    ['that is null', frame('null')],
    ['that is a number', frame('17')],
    ['of an unknown kind', frame({ k: 'z', i: 1 })],
    ['of another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  ])('%s cut the link, and nothing is kept waiting', async (_, garbage) => {
    const { link, far, bugs, isGone } = bare(echo, limits);
    const asked = link.request('x', 0);
    asked.catch(() => undefined);
    far.write(garbage);
    await settle();
    expect([isGone(), bugs.length]).toEqual([true, 1]);
    await expect(asked).rejects.toMatchObject({ code: 'link-down' });
  });

  it('of the largest size allowed are fine', async () => {
    const { far, isGone, framesSent } = bare(echo, limits);
    const json = { k: 'q', i: 1, m: 'echo', a: '' };
    json.a = 'x'.repeat(100 - JSON.stringify(json).length);
    far.write(frame(json, Buffer.alloc(50)));
    await settle();
    expect([isGone(), framesSent()[0]?.bytes.length]).toEqual([false, 50]);
  });

  it('of ours that the far side would not take are not sent, and cost nobody else the link', async () => {
    const { link, framesSent, isGone } = bare({}, limits);
    const tooMuch = [
      link.request('x', 'y'.repeat(200)),
      link.request('x', 0, { bytes: Buffer.alloc(51) }),
    ];
    for (const asked of tooMuch) await expect(asked).rejects.toMatchObject({ code: 'too-large' });
    const circular: { self?: unknown } = {};
    circular.self = circular;
    await expect(link.request('x', circular)).rejects.toBeInstanceOf(TypeError);
    link.notify('x', 'y'.repeat(200));
    await settle();
    expect([framesSent(), isGone()]).toEqual([[], false]);
  });

  it('of ours that answer too much say so instead', async () => {
    const { far, framesSent } = bare(
      { much: () => ({ bytes: Buffer.alloc(51) }) },
      {
        jsonBytes: 1_000,
        bodyBytes: 50,
      },
    );
    far.write(frame({ k: 'q', i: 4, m: 'much' }));
    await settle();
    expect(framesSent()[0]?.json).toMatchObject({ k: 'e', i: 4, c: 'too-large' });
  });
});

describe('too much at once', () => {
  it('of our own requests is refused', async () => {
    const { link } = bare({}, { requests: 2 });
    void link.request('x', 0).catch(() => undefined);
    const second = link.request('x', 0, { timeoutMs: 1 });
    await expect(link.request('x', 0)).rejects.toMatchObject({ code: 'busy', tryAgain: true });
    await expect(second).rejects.toMatchObject({ code: 'link-timeout' });
    const third = link.request('x', 0, { timeoutMs: 1 });
    await expect(third).rejects.toMatchObject({ code: 'link-timeout' });
  });

  it('of theirs makes us stop reading until half of it is done', async () => {
    let most = 0;
    const waiting: (() => void)[] = [];
    const { far, framesSent } = bare(
      {
        slow: () =>
          new Promise<void>((resolve) => {
            waiting.push(resolve);
            most = Math.max(most, waiting.length);
          }),
      },
      { served: 10 },
    );
    const all = 200;
    for (let i = 1; i <= all; i += 1) far.write(frame({ k: 'q', i, m: 'slow' }));
    await settle(20);
    expect(most).toBe(11);
    for (let round = 0; round < 2 * all && framesSent().length < all; round += 1) {
      waiting.shift()?.();
      await settle(2);
    }
    expect(framesSent()).toHaveLength(all);
    expect(most).toBeLessThanOrEqual(11);
  });
});

describe('what a link holds for a far side', () => {
  it('is so many bytes of its requests at most; then it is not read until half of them are served', async () => {
    const waiting: (() => void)[] = [];
    let most = 0;
    const slow = () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        most = Math.max(most, waiting.length);
      });
    const { far, framesSent } = bare({ slow }, { servedBytes: 10_000 });
    const all = 100;
    const bytes = Buffer.alloc(1_000);
    for (let i = 1; i <= all; i += 1) far.write(frame({ k: 'q', i, m: 'slow' }, bytes));
    await settle(20);
    expect(most).toBeLessThan(15);
    for (let round = 0; round < 4 * all && framesSent().length < all; round += 1) {
      waiting.shift()?.();
      await settle(2);
    }
    expect(framesSent()).toHaveLength(all);
    expect(most).toBeLessThan(30);
  });

  it('is so much that was not taken at most: who asks and does not listen is not heard', async () => {
    const [a, far] = duplexPair({ highWaterMark: 1_000 });
    let asked = 0;
    const answer = () => {
      asked += 1;
      return { bytes: Buffer.alloc(1_000) };
    };
    openLink(a, { answer }, { limits: { unsentBytes: 10_000 } });
    const all = 200;
    for (let i = 1; i <= all; i += 1) {
      far.write(frame({ k: 'q', i, m: 'answer' }));
      if (i % 10 === 0) await settle(2);
    }
    await settle(20);
    expect(asked).toBeLessThan(60);
    far.on('data', () => undefined);
    for (let round = 0; round < 500 && asked < all; round += 1) await settle(2);
    expect(asked).toBe(all);
  });
});

describe('the two ends in one process', () => {
  it('end together', async () => {
    const [left, right] = linkPair({}, {});
    left.close();
    await Promise.race([
      Promise.all([left.closed, right.closed]),
      wait(1_000).then(() => expect('closed').toBe('open')),
    ]);
  });

  it('are streams that may be cut', async () => {
    const [a, b]: Duplex[] = duplexPair();
    const [left, right] = [openLink(a), openLink(b)];
    a.destroy();
    await left.closed;
    b.destroy();
    await right.closed;
  });
});
