/** STARTTLS where it works, and clear text where it does not: never a letter lost over it. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RemoteSettings } from '../../../src/delivery/remote/ports.ts';
import type { FarSide } from '../../support/smtp-script.ts';
import { smtpScript } from '../../support/smtp-script.ts';
import { orderFor, station } from './station.ts';

const ip = '192.0.2.1';
const greeting = 'S: 220 mx\nC: EHLO me.test\n';
const offered = `${greeting}S: 250-mx\nS: 250-SIZE\nS: 250 STARTTLS\n`;
const asked = `${offered}C: STARTTLS\n`;
const letter = (size: string) => `C: MAIL FROM:<ann@a.test>${size}
  S: 250 ok
  C: RCPT TO:<joe@b.test>
  S: 250 ok
  C: DATA
  S: 354 go
  body
  S: 250 k\n`;
const inClear = `${offered}${letter(' SIZE=22')}`;

let far: FarSide;
let here: ReturnType<typeof station>;
async function outcomeOf(scripts: readonly string[], over: Partial<RemoteSettings> = {}) {
  far = await smtpScript(...scripts);
  here = station({ [ip]: far }, over);
  const [outcome] = await here.deliver();
  return outcome!;
}
afterEach(async () => {
  here.channel.close();
  await far.close();
  expect(far.mistakes).toEqual([]);
});

describe('a far side that offers STARTTLS', () => {
  it('gets the letter encrypted, whatever its certificate', async () => {
    const inside = `C: EHLO me.test\nS: 250 mx\n${letter('').repeat(2)}`;
    const { kind, reply } = await outcomeOf([`${asked}S: 220 go\ntls\n${inside}`]);
    expect(kind).toBe('delivered');
    expect(reply.tls).toEqual({
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      verified: false,
    });
    expect((await here.deliver(orderFor())).map((outcome) => outcome.kind)).toEqual(['delivered']);
    expect(far.connections()).toBe(1);
  });

  it('is believed only inside the encryption: what it offered before counts for nothing', async () => {
    const inside = `C: EHLO me.test\nS: 250-mx\nS: 250 8BITMIME\n${letter('')}`;
    expect((await outcomeOf([`${asked}S: 220 go\ntls\n${inside}`])).kind).toBe('delivered');
  });

  it.each([
    ['refuses it', `${asked}S: 454 not now`],
    ['drops the connection instead', `${asked}drop`],
    ['speaks no TLS after all', `${asked}S: 220 go\nS: not tls`],
    ['drops the connection in the handshake', `${asked}S: 220 go\ndrop`],
    ['drops the connection after the handshake', `${asked}S: 220 go\ntls\nC: EHLO me.test\ndrop`],
  ])('gets the letter in clear when it %s', async (_, broken) => {
    const { kind, reply } = await outcomeOf([broken, inClear]);
    far.mistakes.length = broken.includes('not tls') ? 0 : far.mistakes.length;
    expect([kind, reply.tls]).toEqual(['delivered', undefined]);
    expect(far.connections()).toBe(2);
  });

  it('gets the letter in clear when it falls silent in the handshake', async () => {
    const { kind } = await outcomeOf([`${asked}S: 220 go\nstall`, inClear], {
      timeoutRemoteMs: 1_000,
    });
    expect(kind).toBe('delivered');
  });

  it('is not taken up on it where TLS is off', async () => {
    const { kind, reply } = await outcomeOf([inClear], { tls: 'off' });
    expect([kind, reply.tls]).toEqual(['delivered', undefined]);
  });
});
