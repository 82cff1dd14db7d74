/** Connections that carry more than one letter. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RemoteSettings } from '../../../src/delivery/remote/ports.ts';
import type { FarSide } from '../../support/smtp-script.ts';
import { smtpScript } from '../../support/smtp-script.ts';
import { orderFor, spoken, station } from './station.ts';

const ip = '192.0.2.1';
const hello = `S: 220 mx
  C: EHLO me.test
  S: 250 mx\n`;
const begun = `C: MAIL FROM:<ann@a.test>
  S: 250 ok
  C: RCPT TO:<joe@b.test>\n`;
const letter = `${begun}
  S: 250 ok
  C: DATA
  S: 354 go
  body
  S: 250 k\n`;
const accepted = `K${ip} accepted message.\nRemote host said: 250 k\n`;

let far: FarSide;
let here: ReturnType<typeof station>;
async function against(scripts: readonly string[], over: Partial<RemoteSettings> = {}) {
  far = await smtpScript(...scripts);
  here = station({ [ip]: far }, over);
}
/** The reports on so many letters, one after the other. */
async function reports(letters: number): Promise<readonly string[]> {
  const heard: string[] = [];
  for (let n = 0; n < letters; n += 1) heard.push(...(await here.deliver()).map(spoken));
  return heard;
}
afterEach(async () => {
  here.channel.close();
  await far.close();
  expect(far.mistakes).toEqual([]);
});

describe('a connection', () => {
  it('carries one letter after the other, without asking DNS again', async () => {
    await against([hello + letter.repeat(3)]);
    expect(await reports(3)).toEqual([accepted, accepted, accepted]);
    expect(far.connections()).toBe(1);
    expect(here.dns.asked).toEqual(['MX b.test', 'A mx.b.test']);
  });

  it('ends after so many letters', async () => {
    await against([hello + letter.repeat(2), hello + letter], { maxPerConnection: 2 });
    expect(await reports(3)).toEqual([accepted, accepted, accepted]);
    await far.ended(1);
    expect(far.connections()).toBe(2);
  });

  it('ends after resting for idleMs', async () => {
    await against([hello + letter, hello + letter]);
    await reports(1);
    here.clock.advance(4_999);
    expect(here.clock.next()).toBeDefined();
    here.clock.advance(1);
    await far.ended(1);
    expect(await reports(1)).toEqual([accepted]);
    expect(far.connections()).toBe(2);
  });

  it('is kept on while it is in use', async () => {
    await against([hello + letter.repeat(4)]);
    for (let n = 0; n < 4; n += 1) {
      expect(await reports(1)).toEqual([accepted]);
      here.clock.advance(3_000);
    }
    expect(far.connections()).toBe(1);
  });

  it('serves one letter at a time', async () => {
    await against([hello + letter, hello + letter]);
    const both = await Promise.all([here.deliver(), here.deliver()]);
    expect(both.flat().map(spoken)).toEqual([accepted, accepted]);
    expect(far.connections()).toBe(2);
  });

  it('is not shared with another next hop', async () => {
    await against([hello + letter, hello + letter]);
    await reports(1);
    const hop = { host: 'b.test', relay: { host: ip, port: 25 } };
    expect((await here.deliver(orderFor(['joe@b.test'], { hop }))).map(spoken)).toEqual([accepted]);
    expect(far.connections()).toBe(2);
  });

  it('says RSET only where a transaction was left half-way', async () => {
    const refused = `${begun}S: 550 no\n`;
    await against([`${hello}${letter}${refused}C: RSET\nS: 250 ok\n${letter}${letter}`]);
    expect(await reports(4)).toEqual([
      accepted,
      `D${ip} does not like recipient.\nRemote host said: 550 no\nGiving up on ${ip}.\n`,
      accepted,
      accepted,
    ]);
    expect(far.connections()).toBe(1);
  });

  it('says no RSET after a refused sender or a refused body', async () => {
    const badSender = 'C: MAIL FROM:<ann@a.test>\nS: 450 no\n';
    const badBody = letter.replace('S: 250 k', 'S: 554 spam');
    await against([hello + badSender + badBody + letter]);
    expect((await reports(3)).map((report) => report.charAt(0))).toEqual(['Z', 'D', 'K']);
    expect(far.connections()).toBe(1);
  });

  it('is replaced without a word when it will not be reset', async () => {
    await against([`${hello}${begun}S: 550 no\nC: RSET\nS: 500 what`, hello + letter]);
    expect((await reports(2)).map((report) => report.charAt(0))).toEqual(['D', 'K']);
  });
});

describe('a connection that died in its sleep', () => {
  it('is replaced when that was noticed', async () => {
    await against([`${hello}${letter}drop`, hello + letter]);
    await reports(1);
    await far.ended(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await reports(1)).toEqual([accepted]);
  });

  it.each([
    ['falls silent for good', 'drop'],
    ['says 421', 'S: 421 idle too long'],
  ])('is replaced when it %s upon MAIL', async (_, end) => {
    await against([`${hello}${letter}C: MAIL FROM:<ann@a.test>\n${end}`, hello + letter]);
    expect(await reports(2)).toEqual([accepted, accepted]);
    expect(far.connections()).toBe(2);
  });

  it('is replaced once: the fresh one is judged', async () => {
    await against([`${hello}${letter}C: MAIL FROM:<ann@a.test>\ndrop`, 'drop']);
    expect(await reports(2)).toEqual([
      accepted,
      `ZConnected to ${ip} but connection died. (#4.4.2)\n`,
    ]);
  });

  it('is not replaced once MAIL was answered', async () => {
    await against([`${hello}${letter}${begun}drop`]);
    expect(await reports(2)).toEqual([
      accepted,
      `ZConnected to ${ip} but connection died. (#4.4.2)\n`,
    ]);
    expect(far.connections()).toBe(1);
  });

  it('is replaced when it says anything in its sleep', async () => {
    await against([`${hello}${letter}S: 421 going down`, hello + letter]);
    await reports(1);
    await far.ended(1);
    expect(await reports(1)).toEqual([accepted]);
  });
});

describe('a 421', () => {
  it('after the letter ends the connection', async () => {
    const last = letter.replace('S: 250 k', 'S: 421 enough');
    await against([hello + last, hello + letter]);
    expect((await reports(2)).map((report) => report.charAt(0))).toEqual(['Z', 'K']);
    expect(far.connections()).toBe(2);
  });
});

describe('an attempt that nobody waits for any more', () => {
  it.each([
    ['while the greeting is awaited', 'stall'],
    ['while a reply is awaited', `${hello}${begun}stall`],
  ])('closes its connection %s', async (_, script) => {
    await against([script]);
    let reported = 0;
    const waiting = here.channel.attempt(orderFor()).subscribe(() => (reported += 1));
    while (far.connections() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    waiting.unsubscribe();
    await far.ended(1);
    expect(reported).toBe(0);
    expect(here.tcpto.size).toBe(0);
  });

  it('does not end the connection that its letter went over', async () => {
    await against([hello + letter.repeat(2)]);
    await reports(2);
    expect(far.connections()).toBe(1);
  });
});

describe('a channel that closes', () => {
  it('ends resting connections, and keeps no new ones', async () => {
    await against([hello + letter, hello + letter]);
    await reports(1);
    here.channel.close();
    await far.ended(1);
    await reports(1);
    await far.ended(2);
    expect(here.clock.next()).toBeUndefined();
  });
});
