import { afterEach, describe, expect, it } from '@jest/globals';
import { Dialogue } from './dialogue.ts';
import { closeDoors, openDoor, until } from './open-door.ts';
import { testCertificate } from './test-certificate.ts';

afterEach(closeDoors);

const withTls = { settings: { tls: testCertificate } };

async function sendTo(client: Dialogue): Promise<string | undefined> {
  await client.ask('MAIL FROM:<ann@far.test>');
  await client.ask('RCPT TO:<joe@demo.test>');
  await client.ask('DATA');
  return client.ask('hello\r\n.');
}

describe('STARTTLS', () => {
  it('and no handshake after it ends the session, and its place is free at once', async () => {
    const door = await openDoor({ settings: { tls: testCertificate, maxConnections: 1 } });
    const client = await door.greeted();
    await client.ask('STARTTLS');
    client.raw(Buffer.from([0x16, 0x03]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    door.clock.advance(61_000);
    expect(await client.rest()).toBe('');
    expect(await (await door.greeted()).ask('QUIT')).toMatch(/^221/);
    client.hangUp();
  });

  it('is offered when there is a certificate, and not again inside', async () => {
    const door = await openDoor(withTls);
    const client = await door.dial();
    await client.reply();
    expect(await client.ask('EHLO client.test')).toContain('250-STARTTLS');
    expect(await client.ask('STARTTLS now')).toBe('501 5.5.4 no argument wanted (#5.5.4)');
    expect(await client.ask('STARTTLS')).toBe('220 2.0.0 ready to start TLS');
    await client.startTls();
    expect(await client.ask('EHLO client.test')).not.toContain('STARTTLS');
    expect(await client.ask('STARTTLS')).toMatch(/^503 /);
    expect(await sendTo(client)).toMatch(/^250/);
    const [letter] = door.intake.letters;
    expect(letter?.body).toContain('with ESMTPS id');
    expect(letter?.arrival).toMatchObject({
      protocol: 'ESMTPS',
      tls: { protocol: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/), verified: false },
    });
    client.hangUp();
  });

  it('forgets all that was said in clear', async () => {
    const door = await openDoor(withTls);
    const client = await door.greeted();
    await client.ask('MAIL FROM:<ann@far.test>');
    await client.ask('RCPT TO:<joe@demo.test>');
    await client.ask('STARTTLS');
    await client.startTls();
    expect(await client.ask('DATA')).toMatch(/^503 5\.5\.1 MAIL first/);
    await sendTo(client);
    expect(door.intake.letters[0]?.arrival.helo).toBeUndefined();
    expect(door.intake.letters[0]?.arrival.protocol).toBe('SMTP');
    client.hangUp();
  });

  it.each([[1], [250]])(
    'obeys nothing that came in clear behind it (%i commands)',
    async (count) => {
      const door = await openDoor(withTls);
      const client = await door.greeted();
      const injected = 'RSET\r\n'.repeat(count) + 'MAIL FROM:<evil@x.test>\r\nRCPT TO:<joe@';
      client.raw(`STARTTLS\r\n${injected}`);
      expect(await client.reply()).toMatch(/^220/);
      await client.startTls();
      // The first thing we hear is the answer to the first thing we say.
      client.raw('demo.test>\r\nNOOP\r\n');
      expect(await client.reply()).toMatch(/^502 /);
      expect(await client.reply()).toMatch(/^250 /);
      expect(await client.ask('RCPT TO:<joe@demo.test>')).toMatch(/^503 5\.5\.1 MAIL first/);
      client.hangUp();
      // On record like all that is turned away, once, and without a byte of what was injected.
      expect(door.refusals).toMatchObject([
        {
          peer: expect.stringMatching(/^\[?127|^\[?::/),
          helo: expect.any(String),
          reply: '(dropped without a word: what came in clear behind STARTTLS)',
        },
      ]);
    },
  );

  it('with nothing behind it is no refusal', async () => {
    const door = await openDoor(withTls);
    const client = await door.greeted();
    await client.ask('STARTTLS');
    await client.startTls();
    expect(await sendTo(client)).toMatch(/^250/);
    expect(door.refusals).toEqual([]);
    client.hangUp();
  });

  it('that goes wrong ends the connection and nothing else', async () => {
    const door = await openDoor(withTls);
    const client = await door.greeted();
    await client.ask('STARTTLS');
    client.raw('this is no TLS\r\n'.repeat(100));
    await client.rest();
    await until(() => door.door.connections === 0);
    const next = await door.greeted();
    expect(await sendTo(next)).toMatch(/^250/);
    next.hangUp();
  });
});

describe('a door with TLS first', () => {
  it('greets inside', async () => {
    const door = await openDoor({ settings: { tls: { ...testCertificate, implicit: true } } });
    const client = await Dialogue.dialTls(door.port);
    expect(await client.reply()).toBe('220 mx.demo.test ESMTP');
    expect(await client.ask('EHLO client.test')).not.toContain('STARTTLS');
    expect(await sendTo(client)).toMatch(/^250/);
    expect(door.intake.letters[0]?.arrival).toMatchObject({
      protocol: 'ESMTPS',
      tls: { protocol: 'TLSv1.3' },
    });
    client.hangUp();
  });

  it('lets go of a client that never shakes hands, even if it drips', async () => {
    const door = await openDoor({ settings: { tls: { ...testCertificate, implicit: true } } });
    const client = await Dialogue.dial(door.port);
    await until(() => door.door.connections === 1);
    client.raw(Buffer.from([0x16]));
    for (let second = 0; second < 60; second += 1) door.clock.advance(1_000);
    expect(door.door.connections).toBe(1);
    client.raw(Buffer.from([0x03]));
    door.clock.advance(1_000);
    expect(await client.rest()).toBe('');
    await until(() => door.door.connections === 0);
  });

  it('hands out a renewed certificate', async () => {
    const door = await openDoor({ settings: { tls: { ...testCertificate, implicit: true } } });
    door.door.renewCertificate(testCertificate);
    const client = await Dialogue.dialTls(door.port);
    expect(await client.reply()).toMatch(/^220/);
    client.hangUp();
  });
});
