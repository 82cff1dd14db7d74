import { afterEach, describe, expect, it } from '@jest/globals';
import { Trouble } from '../../../src/mail/trouble.ts';
import type { Dialogue } from './dialogue.ts';
import { closeDoors, openDoor, until } from './open-door.ts';
import type { OpenDoor } from './open-door.ts';

afterEach(closeDoors);

/** Up to 354. */
async function intoData(door: OpenDoor): Promise<Dialogue> {
  const client = await door.greeted();
  await client.ask('MAIL FROM:<ann@far.test>');
  await client.ask('RCPT TO:<joe@demo.test>');
  expect(await client.ask('DATA')).toBe('354 go ahead');
  return client;
}

async function send(door: OpenDoor, data: string): Promise<string | undefined> {
  const client = await intoData(door);
  client.raw(`${data}\r\n.\r\n`);
  const reply = await client.reply();
  client.hangUp();
  return reply;
}

describe('a letter that comes in', () => {
  it('is led by our Received field, and told how it came', async () => {
    const door = await openDoor();
    const reply = await send(door, 'Subject: x\r\n\r\n\xe4');
    const [letter] = door.intake.letters;
    expect(reply).toBe(`250 2.0.0 ok ${letter?.id}`);
    expect(letter?.body).toBe(
      'Received: from unknown (HELO client.test) (127.0.0.1)\r\n' +
        `  by mx.demo.test with ESMTP id ${letter?.id}; 20 Nov 2026 23:48:01 -0000\r\n` +
        'Subject: x\r\n\r\n\xe4\r\n',
    );
    expect(letter?.arrival).toEqual({
      protocol: 'ESMTP',
      door: 'smtp',
      // Its three line ends count as one byte each.
      size: 14,
      peer: expect.stringMatching(/^127\.0\.0\.1:[0-9]+$/),
      helo: 'client.test',
      eightBit: true,
    });
  });

  it('says SMTP and no HELO when the client never introduced itself', async () => {
    const door = await openDoor();
    const client = await door.dial();
    await client.reply();
    await client.ask('MAIL FROM:<>');
    await client.ask('RCPT TO:<joe@demo.test>');
    await client.ask('DATA');
    await client.ask('.');
    const [letter] = door.intake.letters;
    expect(letter?.body).toMatch(
      /^Received: from unknown \(127\.0\.0\.1\)\r\n {2}by .* with SMTP id/,
    );
    expect(letter?.arrival.helo).toBeUndefined();
  });

  it('names the client by its checked reverse name where that is looked up', async () => {
    const door = await openDoor({
      parts: { hostOf: () => Promise.resolve('client.test') },
    });
    await send(door, 'x');
    const [letter] = door.intake.letters;
    expect(letter?.body).toMatch(/^Received: from client\.test \(127\.0\.0\.1\)\r\n/);
    expect(letter?.arrival.peerHost).toBe('client.test');
  });

  it('goes to the intake in one write when it is small', async () => {
    const door = await openDoor();
    await send(door, 'x'.repeat(500));
    expect(door.intake.writes).toBe(1);
  });

  it('has every HELO byte that could do harm replaced', async () => {
    const door = await openDoor();
    const client = await door.dial();
    await client.reply();
    await client.ask(`HELO a b\t(c)\xff${'d'.repeat(300)}`);
    await client.ask('MAIL FROM:<>');
    await client.ask('RCPT TO:<joe@demo.test>');
    await client.ask('DATA');
    await client.ask('.');
    expect(door.intake.letters[0]?.body).toMatch(/\(HELO a\?b\?\?c\?\?{1,3}d{240,255}\) /);
  });
});

describe('a letter that is not wanted', () => {
  const received = (n: number) => 'Received: by x\r\n'.repeat(n);

  it.each([
    ['99 hops', received(99), '250 2.0.0 ok'],
    ['100 hops', received(100), '554 5.4.6 too many hops, this message is looping (#5.4.6)'],
    ['mixed hops', 'dElIvErEdX\r\nRECEIVED-SPF: x\r\n'.repeat(50), '554 5.4.6'],
    ['100 hops below the header', `\r\n${received(100)}`, '250 2.0.0 ok'],
  ])('with %s hears %s', async (_, data, reply) => {
    const door = await openDoor();
    expect(await send(door, data)).toContain(reply.slice(0, 60));
    expect(door.intake.abandoned).toBe(reply.startsWith('250') ? 0 : 1);
  });

  it.each([
    [new Trouble('busy', { tryAgain: true, peer: 'slow down' }), '451 4.3.0 slow down (#4.3.0)'],
    [
      new Trouble('log-full', { tryAgain: true, peer: 'disk full (#4.3.1)' }),
      '452 4.3.1 disk full (#4.3.1)',
    ],
    [new Trouble('spool-full', { tryAgain: true, peer: 'full' }), '452 4.3.1 full (#4.3.1)'],
    [
      new Trouble('refused', { tryAgain: false, peer: 'go away (#5.7.1)' }),
      '554 5.7.1 go away (#5.7.1)',
    ],
    [new Trouble('too-large', { tryAgain: false, peer: 'huge' }), '552 5.3.4 huge (#5.3.4)'],
    [
      new Trouble('busy', { tryAgain: true, peer: 'two\r\n250 lines\xff' }),
      '451 4.3.0 two 250 lines? (#4.3.0)',
    ],
    [new Error('secret path'), '451 4.3.0 temporary trouble here (#4.3.0)'],
  ])('because of %s hears it, and only that', async (cause, reply) => {
    for (const when of ['onAccept', 'onWrite', 'onBegin'] as const) {
      const door = await openDoor();
      if (when === 'onBegin') {
        door.intake.onBegin = () => {
          throw cause;
        };
        const client = await door.greeted();
        await client.ask('MAIL FROM:<ann@far.test>');
        await client.ask('RCPT TO:<joe@demo.test>');
        expect(await client.ask('DATA')).toBe(reply);
        client.hangUp();
      } else {
        door.intake[when] = () => Promise.reject(cause);
        expect(await send(door, 'x'.repeat(300_000))).toBe(reply);
      }
      expect(door.refusals.at(-1)).toMatchObject({ reply, returnPath: 'ann@far.test' });
      expect(door.reports).not.toEqual([]);
    }
  });

  it('is not handed on any further, and read to its end without keeping it', async () => {
    const door = await openDoor({ rules: { databytes: 100_000 } });
    let bytes = 0;
    door.intake.onWrite = (chunk) => Promise.resolve(void (bytes += chunk.length));
    expect(await send(door, `${'x'.repeat(998)}\r\n`.repeat(3_000))).toMatch(/^552 /);
    expect(bytes).toBeLessThan(101_000);
  });

  it('leaves the session open for the next one', async () => {
    const door = await openDoor();
    const client = await intoData(door);
    client.raw(`${received(100)}\r\n.\r\n`);
    expect(await client.reply()).toMatch(/^554/);
    await client.ask('MAIL FROM:<ann@far.test>');
    await client.ask('RCPT TO:<joe@demo.test>');
    await client.ask('DATA');
    client.raw('good\r\n.\r\n');
    expect(await client.reply()).toMatch(/^250/);
    expect(door.intake.onlyBody()).toBe('good\r\n');
  });

  it('with bare line ends takes along whatever is pipelined behind it', async () => {
    const door = await openDoor();
    const client = await intoData(door);
    client.raw('a\r\r\n.\r\nMAIL FROM:<evil@x.test>\r\nRCPT TO:<joe@demo.test>\r\n');
    expect(await client.rest()).toMatch(/^554 5\.6\.11 [^\r]*\r\n$/);
    expect(door.intake.letters).toEqual([]);
  });

  it('is not begun by a DATA that ends in a bare LF with more behind it', async () => {
    const door = await openDoor();
    const client = await door.greeted();
    await client.ask('MAIL FROM:<ann@far.test>');
    await client.ask('RCPT TO:<joe@demo.test>');
    client.raw('DATA\nx\r\n.\r\n');
    expect(await client.rest()).toMatch(/^500 5\.5\.2 [^\r]*\r\n$/);
    expect([door.intake.letters.length, door.intake.abandoned]).toEqual([0, 1]);
  });
});

describe('bare line ends, where they are to be made whole,', () => {
  it.each([
    ['a\nb\rc\r\n', 'a\r\nb\r\nc\r\n'],
    ['a\n.\r\nb', 'a\r\n.\r\nb\r\n'],
    ['a\r\n.\nb', 'a\r\n\r\nb\r\n'],
    // The worked example of qmail's DATA decoding.
    [
      'a\r\n..dot\r\n.x\r\n.\rfoo\r\n\r\rq\r\nlone\rcr',
      'a\r\n.dot\r\nx\r\n.\r\nfoo\r\n\r\n\r\nq\r\nlone\r\ncr\r\n',
    ],
  ])('%j is stored as %j', async (data, stored) => {
    const door = await openDoor({ settings: { bareNewlines: 'normalize' } });
    const sent = data.endsWith('\r\n') ? data.slice(0, -2) : data;
    expect(await send(door, sent)).toMatch(/^250/);
    expect(door.intake.onlyBody()).toBe(stored);
  });
});

describe('a client that goes away', () => {
  it('in the middle of a letter leaves nothing behind', async () => {
    const door = await openDoor();
    const client = await intoData(door);
    client.raw('half a let');
    await until(() => door.intake.writes === 1);
    client.hangUp();
    await until(() => door.intake.abandoned === 1);
    await until(() => door.door.connections === 0);
    expect(door.intake.letters).toEqual([]);
  });

  it('in the middle of a letter by ending its side leaves nothing behind and hears nothing', async () => {
    const door = await openDoor();
    const client = await intoData(door);
    client.socket.end('half a letter\r\n.');
    expect(await client.rest()).toBe('');
    await until(() => door.intake.abandoned === 1);
  });

  it('after the dot has had its letter accepted', async () => {
    const door = await openDoor();
    let accept: () => void = () => undefined;
    door.intake.onAccept = () => new Promise((resolve) => (accept = resolve));
    const client = await intoData(door);
    client.raw('x\r\n.\r\n');
    await until(() => door.intake.writes === 1);
    client.socket.resetAndDestroy();
    await until(() => door.door.connections === 0);
    accept();
    await until(() => door.intake.letters.length === 1);
    expect(door.intake.abandoned).toBe(0);
  });

  it('having ended its side early still hears all replies', async () => {
    const door = await openDoor();
    door.intake.onAccept = () => new Promise((resolve) => setTimeout(resolve, 20));
    const client = await intoData(door);
    client.socket.end('x\r\n.\r\nQUIT\r\n');
    expect(await client.rest()).toMatch(/^250 [^\r]*\r\n221 [^\r]*\r\n$/);
  });

  it('without ending its last command has not said it', async () => {
    const door = await openDoor();
    const client = await intoData(door);
    client.raw('x\r\n.\r\n');
    await client.reply();
    client.socket.end('NOOP');
    expect(await client.rest()).toBe('');
  });
});

describe('an intake that is slow', () => {
  it('slows the client, and memory does not grow with the letter', async () => {
    const door = await openDoor();
    let waiting: (() => void)[] = [];
    door.intake.onWrite = () => new Promise((resolve) => waiting.push(resolve));
    const client = await intoData(door);
    const megabytes = 24;
    const piece = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1_000));
    let gone = 0;
    for (let i = 0; i < megabytes; i += 1) client.socket.write(piece, () => (gone += 1));
    await until(() => waiting.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(door.intake.writes).toBe(1);
    // The rest is with the client and in the kernel, which holds a few megabytes at most.
    expect(gone).toBeLessThan(megabytes / 2);
    const pump = setInterval(() => {
      const ready = waiting;
      waiting = [];
      for (const resume of ready) resume();
    }, 0);
    client.socket.write('.\r\n');
    expect(await client.reply()).toMatch(/^250/);
    clearInterval(pump);
    expect(door.intake.letters[0]?.body.length).toBeGreaterThan(megabytes * 1_000_000);
  });

  it('is waited for beyond the idle timeout', async () => {
    const door = await openDoor({ settings: { timeoutMs: 30_000 } });
    let accept: () => void = () => undefined;
    door.intake.onAccept = () => new Promise((resolve) => (accept = resolve));
    const sent = send(door, 'x');
    await until(() => door.intake.writes === 1);
    door.clock.advance(300_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    accept();
    expect(await sent).toMatch(/^250/);
  });
});

describe('a letter to very many', () => {
  it('has room for so many characters of recipients; the others hear 452 and come with another', async () => {
    const door = await openDoor({
      env: { RELAYCLIENT: '' },
      settings: { maxRecipients: 10_000, maxFruitless: 10_000 },
    });
    const client = await door.greeted();
    await client.ask('MAIL FROM:<ann@far.test>');
    const rcpt = `RCPT TO:<${'j'.repeat(800)}@far.test>`;
    let replies: (string | undefined)[] = [];
    for (let n = 0; n < 2_600; n += 1) replies = [await client.ask(rcpt), ...replies].slice(0, 2);
    expect(replies[0]).toMatch(/^452 4\.5\.3 /);
    expect(await client.ask('DATA')).toBe('354 go ahead');
  });
});
