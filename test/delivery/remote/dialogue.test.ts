/** What exactly goes over the wire. */
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FarSide } from '../../support/smtp-script.ts';
import { smtpScript } from '../../support/smtp-script.ts';
import { bodyOf, orderFor, spoken, station } from './station.ts';

const ip = '192.0.2.1';
let far: FarSide | undefined;
let here: ReturnType<typeof station> | undefined;

async function against(...scripts: readonly string[]) {
  far = await smtpScript(...scripts);
  here = station({ [ip]: far });
  return here;
}
afterEach(async () => {
  here?.channel.close();
  await far?.close();
  expect(far?.mistakes ?? []).toEqual([]);
});

/** A far side with these extensions that takes all, and wants these commands. */
const taking = (extensions: readonly string[], ...commands: readonly string[]) => `
  S: 220 mx
  C: EHLO me.test
  ${['mx', ...extensions].map((line, n, all) => `S: 250${n + 1 < all.length ? '-' : ' '}${line}`).join('\n')}
  ${commands.map((command) => `C: ${command}\nS: 250 ok`).join('\n')}
  C: DATA
  S: 354 go
  body
  S: 250 k`;
const accepted = `K${ip} accepted message.\nRemote host said: 250 k\n`;

describe('an address on the wire', () => {
  it.each([
    ['we ird"x\\@x', '<"we ird\\"x\\\\"@x>'],
    ['a..b@x', '<"a..b"@x>'],
    ['.a@x', '<".a"@x>'],
    ['a<b>c@x', '<"a<b>c"@x>'],
    ['nohost', '<nohost>'],
    ['#@[]', '<#@[]>'],
    ['a@b@x', '<"a@b"@x>'],
    ['', '<>'],
  ])('%j is %s', async (address, path) => {
    const station = await against(taking([], `MAIL FROM:${path}`, `RCPT TO:${path}`));
    const outcomes = await station.deliver(orderFor([address], { returnPath: address }));
    expect(outcomes.map(spoken)).toEqual([accepted]);
  });

  it('is never one that would break out of its line', async () => {
    const station = await against(taking([], 'MAIL FROM:<ann@a.test>', 'RCPT TO:<joe@b.test>'));
    const outcomes = await station.deliver(
      orderFor([
        'eve\r\nRCPT TO:<x@x>@b.test',
        'joe@b.test',
        'eve@b.test> NOTIFY=NEVER',
        'e\0ve@b.test',
      ]),
    );
    const bad = 'DSorry, SMTP cannot transfer a recipient address like this. (#5.1.3)\n';
    expect(outcomes.map(spoken)).toEqual([bad, accepted, bad, bad]);
    expect(outcomes[0]?.reply.status).toBe('5.1.3');
  });

  it('is none at all when the sender would break out', async () => {
    const station = await against();
    const outcomes = await station.deliver(orderFor(['joe@b.test'], { returnPath: 'a\n@b.test' }));
    expect(outcomes.map(spoken)).toEqual([
      'DSorry, SMTP cannot transfer a sender address like this. (#5.1.7)\n',
    ]);
    expect(station.dialled).toEqual([]);
  });
});

describe('the extensions of the far side', () => {
  it.each([
    ['SIZE says how long it is', ['SIZE 1000'], {}, ' SIZE=22'],
    ['8BITMIME is named for 8-bit bodies', ['8BITMIME'], { eightBit: true }, ' BODY=8BITMIME'],
    ['8BITMIME is not named for others', ['8BITMIME'], {}, ''],
    ['an 8-bit body goes out without 8BITMIME, too', [], { eightBit: true }, ''],
    ['SMTPUTF8 is named for UTF-8 headers', ['SMTPUTF8'], { utf8: true }, ' SMTPUTF8'],
    ['UTF-8 headers go out without SMTPUTF8, too', [], { utf8: true }, ''],
    [
      'all at once, in any case',
      ['size', '8bitmime', 'smtputf8'],
      { eightBit: true, utf8: true },
      ' SIZE=22 BODY=8BITMIME SMTPUTF8',
    ],
  ])('%s', async (_, extensions, over, parameters) => {
    const station = await against(
      taking(extensions, `MAIL FROM:<ann@a.test>${parameters}`, 'RCPT TO:<joe@b.test>'),
    );
    expect((await station.deliver(orderFor(['joe@b.test'], over))).map(spoken)).toEqual([accepted]);
  });

  it('PIPELINING sends the envelope without waiting', async () => {
    // No reply before the last command has come: without pipelining nobody would go on.
    const station = await against(`
      S: 220 mx
      C: EHLO me.test
      S: 250-mx
      S: 250 PIPELINING
      C: MAIL FROM:<ann@a.test>
      C: RCPT TO:<joe@b.test>
      C: RCPT TO:<eve@b.test>
      C: DATA
      S: 250 a
      S: 250 b
      S: 550 c
      S: 354 go
      body
      S: 250 k`);
    const outcomes = await station.deliver(orderFor(['joe@b.test', 'eve@b.test']));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'failed']);
  });

  it.each([
    ['nobody was accepted', '250 ok', '550 no', 'failed'],
    ['the sender was refused', '550 no', '503 no', 'failed'],
  ])(
    'PIPELINING never sends a body when %s, though the far side asks for one',
    async (_, a, b, kind) => {
      const station = await against(`
      S: 220 mx
      C: EHLO me.test
      S: 250-mx
      S: 250 PIPELINING
      C: MAIL FROM:<ann@a.test>
      C: RCPT TO:<joe@b.test>
      C: DATA
      S: ${a}
      S: ${b}
      S: 354 go`);
      const outcomes = await station.deliver();
      expect(outcomes.map((outcome) => outcome.kind)).toEqual([kind]);
      await far?.ended(1);
      expect(far?.bodies).toEqual([]);
    },
  );

  it('are asked for with HELO where EHLO is unknown', async () => {
    const station = await against(`
      S: 220 mx
      C: EHLO me.test
      S: 500 what
      C: HELO me.test
      S: 250 mx PIPELINING
      C: MAIL FROM:<ann@a.test>
      S: 250 ok
      C: RCPT TO:<joe@b.test>
      S: 250 ok
      C: DATA
      S: 354 go
      body
      S: 250 k`);
    expect((await station.deliver()).map(spoken)).toEqual([accepted]);
  });
});

describe('an address beyond ASCII', () => {
  it('goes to a far side with SMTPUTF8', async () => {
    const station = await against(
      taking(['SMTPUTF8'], 'MAIL FROM:<ann@a.test> SMTPUTF8', 'RCPT TO:<"ü"@b.test>'),
    );
    expect((await station.deliver(orderFor(['ü@b.test']))).map(spoken)).toEqual([accepted]);
  });

  it('fails where that is missing, and only it', async () => {
    const station = await against(taking([], 'MAIL FROM:<ann@a.test>', 'RCPT TO:<joe@b.test>'));
    const outcomes = await station.deliver(orderFor(['ü@b.test', 'joe@b.test']));
    expect(outcomes.map(spoken)).toEqual([
      `D${ip} does not offer SMTPUTF8, which an address of this letter needs. (#5.6.7)\n`,
      accepted,
    ]);
    expect(outcomes[0]?.reply).toMatchObject({ status: '5.6.7', host: 'mx.b.test' });
  });

  it('fails all recipients where the sender has it', async () => {
    const station = await against('S: 220 mx\nC: EHLO me.test\nS: 250 mx');
    const outcomes = await station.deliver(orderFor(['joe@b.test'], { returnPath: 'ü@a.test' }));
    expect(outcomes.map((outcome) => outcome.reply.status)).toEqual(['5.6.7']);
  });
});

describe('a body', () => {
  const plain = taking([], 'MAIL FROM:<ann@a.test>', 'RCPT TO:<joe@b.test>');
  const unstuffed = (wire: Buffer | undefined) =>
    wire?.toString('latin1').replace(/(^|\r\n)\./g, '$1');

  it.each([
    ['that is empty', ''],
    ['with a line that is a dot', 'a\r\n.\r\nMAIL FROM:<eve@evil.test>\r\nb\r\n'],
    ['that starts with a dot', '.\r\n'],
    ['of 8-bit bytes', 'gr\xfc\xdf\x00\r\n'],
    ['of two megabytes', `${'x'.repeat(76)}\r\n`.repeat(27_000)],
    ['of dots only', '.\r\n'.repeat(10_000)],
  ])('%s arrives as it was, in one piece', async (_, text) => {
    const station = await against(plain);
    const outcomes = await station.deliver(orderFor(['joe@b.test'], { body: bodyOf(text) }));
    expect(outcomes.map(spoken)).toEqual([accepted]);
    expect(unstuffed(far?.bodies[0])).toBe(text);
  });

  it('arrives as it was when it is read in pieces', async () => {
    const station = await against(plain);
    const line = `.${'y'.repeat(76)}\r\n`;
    const pieces = Array.from({ length: 200 }, () => [line.repeat(50), '.', '\r', '\n']).flat();
    const body = bodyOf(pieces.join(''), pieces);
    const outcomes = await station.deliver(orderFor(['joe@b.test'], { body }));
    expect(outcomes.map(spoken)).toEqual([accepted]);
    expect(unstuffed(far?.bodies[0])).toBe(pieces.join(''));
  });

  it('gets its last line end where it lacks one', async () => {
    const station = await against(plain);
    await station.deliver(orderFor(['joe@b.test'], { body: bodyOf('a\r\nb') }));
    expect(far?.bodies[0]?.toString()).toBe('a\r\nb\r\n');
  });

  it('arrives as it was whatever its lines', async () => {
    const line = fc
      .array(fc.constantFrom('.', '..', 'a', '\0', '\xff', 'QUIT'), { maxLength: 5 })
      .map((parts) => `${parts.join('')}\r\n`);
    const bodies = fc.sample(
      fc.array(line, { maxLength: 12 }).map((lines) => lines.join('')),
      60,
    );
    const letter = `C: MAIL FROM:<ann@a.test>
      S: 250 ok
      C: RCPT TO:<joe@b.test>
      S: 250 ok
      C: DATA
      S: 354 go
      body
      S: 250 k\n`;
    const station = await against(
      `S: 220 mx\nC: EHLO me.test\nS: 250 mx\n${letter.repeat(bodies.length)}`,
    );
    for (const text of bodies)
      await station.deliver(orderFor(['joe@b.test'], { body: bodyOf(text) }));
    expect(far?.bodies.map(unstuffed)).toEqual(bodies);
  });
});
