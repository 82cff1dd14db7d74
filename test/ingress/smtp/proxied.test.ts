/** A door that load balancers connect to: whose letter it is, is what they say; and nobody else is believed. */
import { afterEach, describe, expect, it } from '@jest/globals';
import net, { type AddressInfo } from 'node:net';
import type { SmtpDoorParts } from '../../../src/ingress/smtp/door.ts';
import { tcp4, v1, v2 } from '../../wire/proxy-bytes.ts';
import { Dialogue } from './dialogue.ts';
import { closeDoors, openDoor, until, type Choices } from './open-door.ts';
import { testCertificate } from './test-certificate.ts';

afterEach(closeDoors);

const line = v1('TCP4 192.0.2.7 198.51.100.1 56324 25');

/** Balancers are at 127.0.0.1; whom the rules were asked about is kept. */
async function behindBalancer(choices: Choices = {}) {
  const asked: string[] = [];
  const clientRules: SmtpDoorParts['clientRules'] = ({ ip }) => {
    asked.push(ip);
    const env = new Map(ip === '192.0.2.9' ? [['RELAYCLIENT', '']] : []);
    return { allow: ip !== '192.0.2.66', env };
  };
  const parts = { isProxy: (ip: string) => ip === '127.0.0.1', clientRules, ...choices.parts };
  const door = await openDoor({ ...choices, parts });
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await door.door.listen(server, { isProxied: true });
  const { port } = server.address() as AddressInfo;
  return { ...door, port, asked, dial: () => Dialogue.dial(port) };
}

async function letter(client: Dialogue): Promise<string | undefined> {
  await client.ask('EHLO client.test');
  await client.ask('MAIL FROM:<ann@far.test>');
  await client.ask('RCPT TO:<joe@demo.test>');
  await client.ask('DATA');
  return client.ask('Subject: x\r\n\r\nhello\r\n.');
}

describe('a connection through a load balancer', () => {
  it.each([
    ['version 1', line],
    ['version 2', tcp4],
  ])('is its client’s, who is greeted and written down (%s)', async (_version, bytes) => {
    const door = await behindBalancer();
    const client = await door.dial();
    client.raw(bytes);
    expect(await client.reply()).toMatch(/^220 /);
    expect(await letter(client)).toMatch(/^250/);
    expect(door.asked).toEqual(['192.0.2.7']);
    const [taken] = door.intake.letters;
    expect(taken?.arrival).toMatchObject({ peer: '192.0.2.7:56324' });
    expect(taken!.body).toMatch(/^Received: from unknown \(HELO client\.test\) \(192\.0\.2\.7\)/);
    client.hangUp();
  });

  it('may come in any pieces, the first commands right behind the header', async () => {
    const door = await behindBalancer();
    const client = await door.dial();
    const all = Buffer.concat([tcp4, Buffer.from('EHLO client.test\r\nQUIT\r\n')]);
    for (const byte of all) {
      client.raw(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.rest()).toMatch(/^220 [^]*250[^]*221 /);
    const quick = await door.dial();
    quick.raw(all);
    expect(await quick.rest()).toMatch(/^220 [^]*250[^]*221 /);
  });

  it('has its client’s rights, limits and refusals', async () => {
    const door = await behindBalancer({ settings: { maxPerAddress: 1 } });
    const denied = await door.dial();
    denied.raw(v1('TCP4 192.0.2.66 198.51.100.1 5 25'));
    expect(await denied.rest()).toBe('');
    const one = await door.dial();
    one.raw(line);
    expect(await one.reply()).toMatch(/^220/);
    const two = await door.dial();
    two.raw(tcp4);
    expect(await two.rest()).toMatch(/^421 /);
    const relay = await door.dial();
    relay.raw(v1('TCP4 192.0.2.9 198.51.100.1 6 25'));
    await relay.reply();
    await relay.ask('EHLO client.test');
    await relay.ask('MAIL FROM:<ann@far.test>');
    expect(await relay.ask('RCPT TO:<eve@elsewhere.test>')).toMatch(/^250/);
    expect(door.refusals.map(({ peer }) => peer)).toEqual(['192.0.2.66:5', '192.0.2.7:56324']);
    one.hangUp();
    relay.hangUp();
  });

  it('is the balancer’s own where it names nobody', async () => {
    const door = await behindBalancer();
    for (const bytes of [v1('UNKNOWN'), v2(0x20, 0, '')]) {
      const client = await door.dial();
      client.raw(bytes);
      expect(await client.reply()).toMatch(/^220/);
      client.hangUp();
    }
    expect(door.asked).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it('may begin with TLS behind the header', async () => {
    const tls = { ...testCertificate, implicit: true };
    const door = await behindBalancer({ settings: { tls } });
    const client = await door.dial();
    client.raw(tcp4);
    await client.startTls();
    expect(await client.reply()).toMatch(/^220/);
    expect(await letter(client)).toMatch(/^250/);
    expect(door.intake.letters[0]?.arrival).toMatchObject({ peer: '192.0.2.7:56324' });
    client.hangUp();
  });
});

describe('nobody is let in', () => {
  it('who is no load balancer of ours, whatever he says', async () => {
    const door = await behindBalancer({ parts: { isProxy: () => false } });
    const client = await door.dial();
    client.raw(line);
    expect(await client.rest()).toBe('');
    expect([door.asked, door.refusals.map(({ reply }) => reply)]).toEqual([
      [],
      ['(closed without a word: not a load balancer of ours)'],
    ]);
  });

  it.each([
    ['speaks SMTP at once', Buffer.from('EHLO evil\x1b[2J\r\n'), 'no PROXY header'],
    ['names no address', v1('TCP4 joe ann 1 2'), 'a PROXY line that says nothing we know'],
    ['comes by UDP', v2(0x21, 0x12, 'x'.repeat(12)), 'a PROXY header of something other than TCP'],
  ])('whose balancer %s', async (_what, bytes, why) => {
    const door = await behindBalancer();
    const client = await door.dial();
    client.raw(bytes);
    expect(await client.rest()).toBe('');
    expect(door.refusals.map(({ peer, reply }) => [peer.replace(/\d+$/, ''), reply])).toEqual([
      ['127.0.0.1:', `(closed without a word: ${why})`],
    ]);
    expect(door.asked).toEqual([]);
  });

  it('whose balancer says nothing, and his place is free again', async () => {
    const door = await behindBalancer({ settings: { maxConnections: 1 } });
    const silent = await door.dial();
    silent.raw(tcp4.subarray(0, 20));
    await until(() => door.door.connections === 1);
    expect(await (await door.dial()).rest()).toMatch(/^421/);
    door.clock.advance(11_000);
    expect(await silent.rest()).toBe('');
    await until(() => door.door.connections === 0);
    const client = await door.dial();
    client.raw(tcp4);
    expect(await client.reply()).toMatch(/^220/);
    client.hangUp();
  });

  it('and nothing is written down of a balancer that only looks', async () => {
    const door = await behindBalancer();
    (await door.dial()).hangUp();
    await until(() => door.door.connections === 0);
    expect(door.refusals).toEqual([]);
  });
});

describe('a door without load balancers', () => {
  it('takes a PROXY header for a command that it does not know', async () => {
    const door = await openDoor();
    const client = await door.dial();
    await client.reply();
    expect(await client.ask(line.toString('latin1').trim())).toMatch(/^502/);
    client.hangUp();
  });
});
