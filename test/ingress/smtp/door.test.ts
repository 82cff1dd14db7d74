import { afterEach, describe, expect, it } from '@jest/globals';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { defaultSmtpSettings } from '../../../src/ingress/smtp/settings.ts';
import { Trouble } from '../../../src/mail/trouble.ts';
import { Dialogue } from './dialogue.ts';
import { closeDoors, openDoor, until } from './open-door.ts';
import type { OpenDoor } from './open-door.ts';

afterEach(closeDoors);

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

async function inTransaction(door: OpenDoor): Promise<Dialogue> {
  const client = await door.greeted();
  await client.ask('MAIL FROM:<ann@far.test>');
  await client.ask('RCPT TO:<joe@demo.test>');
  return client;
}

describe('a client that the rules deny', () => {
  it('is let go without a word', async () => {
    const door = await openDoor({
      parts: { clientRules: () => ({ allow: false, env: new Map() }) },
    });
    const client = await door.dial();
    expect(await client.rest()).toBe('');
    expect(door.refusals).toHaveLength(1);
  });

  it('is also one for whom no rules can be read', async () => {
    const door = await openDoor({
      parts: {
        clientRules: () => {
          throw new Error('unreadable');
        },
      },
    });
    expect(await (await door.dial()).rest()).toBe('');
    expect(door.reports).toHaveLength(1);
  });
});

describe('the greeting', () => {
  const settings = { greetingDelayMs: 5_000 };

  it('comes after the delay', async () => {
    const door = await openDoor({ settings });
    const client = await door.dial();
    await until(() => door.clock.next() !== undefined);
    door.clock.advance(4_999);
    await soon();
    door.clock.advance(1);
    expect(await client.reply()).toBe('220 mx.demo.test ESMTP');
    expect(await client.ask('NOOP')).toMatch(/^250/);
    client.hangUp();
  });

  it('is never heard by a client that talks first', async () => {
    for (const words of ['EHLO x\r\n', 'E']) {
      const door = await openDoor({ settings });
      const client = await door.dial();
      client.raw(words);
      expect(await client.rest()).toMatch(/^554 5\.5\.1 [^\r]*\r\n$/);
      expect(door.refusals).toHaveLength(1);
    }
  });

  it('comes at once for a relay client', async () => {
    const door = await openDoor({ settings, env: { RELAYCLIENT: '' } });
    const client = await door.dial();
    expect(await client.reply()).toMatch(/^220/);
    client.hangUp();
  });
});

describe('too much', () => {
  it('clients are told so', async () => {
    const door = await openDoor({ settings: { maxConnections: 2 } });
    const [one, two] = [await door.greeted(), await door.greeted()];
    const three = await door.dial();
    expect(await three.rest()).toMatch(/^421 4\.3\.2 too many connections[^\r]*\r\n$/);
    one.hangUp();
    await until(() => door.door.connections === 1);
    expect(await (await door.greeted()).ask('NOOP')).toMatch(/^250/);
    expect(await two.ask('QUIT')).toMatch(/^221/);
  });

  it('recipients are for another letter', async () => {
    const door = await openDoor({ settings: { maxRecipients: 2 } });
    const client = await inTransaction(door);
    expect(await client.ask('RCPT TO:<ann@demo.test>')).toMatch(/^250/);
    expect(await client.ask('RCPT TO:<joe@demo.test>')).toMatch(/^452 4\.5\.3 /);
    await client.ask('DATA');
    expect(await client.ask('.')).toMatch(/^250/);
    expect(door.intake.letters[0]?.envelope.recipients).toHaveLength(2);
    client.hangUp();
  });

  it('talk without a letter ends the session; letters do not', async () => {
    const door = await openDoor({ settings: { maxFruitless: 5 } });
    const client = await door.greeted();
    for (let i = 0; i < 4; i += 1) {
      await client.ask('MAIL FROM:<ann@far.test>');
      await client.ask('RCPT TO:<joe@demo.test>');
      await client.ask('DATA');
      expect(await client.ask('.')).toMatch(/^250/);
    }
    for (let i = 0; i < 4; i += 1) await client.ask('NOOP');
    client.raw('RSET\r\nNOOP\r\n');
    expect(await client.rest()).toMatch(/^421 4\.7\.0 [^\r]*\r\n$/);
  });

  it('talk may go on for ever where no limit is wanted', async () => {
    const door = await openDoor({ settings: { maxFruitless: 0 } });
    const client = await door.greeted();
    for (let i = 0; i < 400; i += 1) expect(await client.ask('NOOP')).toMatch(/^250/);
    client.hangUp();
  });

  it('on one line ends the session, however slowly it comes', async () => {
    const door = await openDoor();
    const client = await door.greeted();
    for (let i = 0; i < 30; i += 1) {
      client.raw('x'.repeat(100));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.rest()).toMatch(/^500 5\.5\.2 command line too long[^\r]*\r\n$/);
  });

  it('silence ends the session', async () => {
    const door = await openDoor({ settings: { timeoutMs: 60_000 } });
    const client = await door.greeted();
    door.clock.advance(60_000);
    expect(await client.ask('NOOP')).toMatch(/^250/);
    door.clock.advance(61_000);
    expect(await client.rest()).toBe('451 4.4.2 timeout (#4.4.2)\r\n');
    const half = await inTransaction(door);
    await half.ask('DATA');
    half.raw('half a let');
    await until(() => door.intake.writes === 1);
    door.clock.advance(61_000);
    expect(await half.rest()).toMatch(/^451 4\.4\.2 the message takes too long/);
    await until(() => door.intake.abandoned === 1);
  });

  it('time for one letter ends the session', async () => {
    const door = await openDoor({ settings: { letterTimeoutMs: 60_000 } });
    const client = await inTransaction(door);
    await client.ask('DATA');
    client.raw('a drop');
    await until(() => door.intake.writes === 1);
    door.clock.advance(60_001);
    client.raw('another');
    expect(await client.rest()).toMatch(/^451 4\.4\.2 the message takes too long/);
    await until(() => door.intake.abandoned === 1);
  });

  it('commands and no ear for the replies stop us from reading', async () => {
    const door = await openDoor({ settings: { maxFruitless: 10_000_000 } });
    const accepted = new Promise<net.Socket>((resolve) => door.server.once('connection', resolve));
    const client = await door.greeted();
    const ours = await accepted;
    client.socket.pause();
    const commands = Buffer.from('HELP\r\n'.repeat(500_000));
    client.socket.write(commands);
    let before = -1;
    while (ours.bytesRead !== before) {
      before = ours.bytesRead;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // 3 MB of commands ask for 30 MB of replies that nobody fetches.
    expect(ours.bytesRead).toBeLessThan(commands.length);
    expect(ours.writableLength).toBeLessThan(100_000);
    client.hangUp();
  });
});

describe('the directory', () => {
  it('that cannot tell defers the recipient and no other', async () => {
    const door = await openDoor({
      parts: {
        directory: {
          receives: (address) =>
            address.startsWith('joe')
              ? Promise.resolve(true)
              : Promise.reject(new Trouble('refused', { tryAgain: false, peer: 'no access' })),
        },
      },
    });
    const client = await inTransaction(door);
    expect(await client.ask('RCPT TO:<ann@demo.test>')).toBe(
      '451 4.3.0 temporary trouble here (#4.3.0)',
    );
    await client.ask('DATA');
    expect(await client.ask('.')).toMatch(/^250/);
    expect(door.intake.letters[0]?.envelope.recipients).toEqual(['joe@demo.test']);
    client.hangUp();
  });

  it('that says nothing defers the recipient', async () => {
    let asked = false;
    const door = await openDoor({
      parts: { directory: { receives: () => ((asked = true), new Promise(() => undefined)) } },
    });
    const client = await door.greeted();
    await client.ask('MAIL FROM:<ann@far.test>');
    const reply = client.ask('RCPT TO:<joe@demo.test>');
    await until(() => asked);
    door.clock.advance(10_000);
    expect(await reply).toBe('451 4.3.0 unable to look up the mailbox now (#4.3.0)');
    client.hangUp();
  });

  it('says nobody, and the log hears who asked for whom', async () => {
    const door = await openDoor();
    const client = await door.greeted();
    await client.ask('MAIL FROM:<ann@far.test>');
    await client.ask('RCPT TO:<ghost@demo.test>');
    expect(door.refusals).toEqual([
      {
        ...{ door: 'smtp', peer: expect.stringMatching(/^127\.0\.0\.1:/), helo: 'client.test' },
        ...{ returnPath: 'ann@far.test', recipient: 'ghost@demo.test' },
        reply: '550 5.1.1 Sorry, no mailbox here by that name. (#5.1.1)',
      },
    ]);
    client.hangUp();
  });
});

describe('a door that closes', () => {
  it('sends idle clients home and takes no new ones', async () => {
    const door = await openDoor();
    const client = await door.greeted();
    const drained = door.door.drain();
    expect(await client.rest()).toMatch(/^421 4\.3\.2 closing down[^\r]*\r\n$/);
    await drained;
    await expect(door.dial()).rejects.toThrow('ECONNREFUSED');
    expect(door.door.connections).toBe(0);
  });

  it('lets a transaction end in its 250 before it says 421', async () => {
    const door = await openDoor();
    const client = await inTransaction(door);
    const drained = door.door.drain();
    expect(await client.ask('RCPT TO:<ann@demo.test>')).toMatch(/^250/);
    expect(await client.ask('DATA')).toMatch(/^354/);
    client.raw('x\r\n.\r\n');
    expect(await client.rest()).toMatch(/^250 [^\r]*\r\n421 4\.3\.2 [^\r]*\r\n$/);
    await drained;
    expect(door.intake.letters).toHaveLength(1);
  });

  it('waits for a letter that is being accepted', async () => {
    const door = await openDoor();
    let accept: () => void = () => undefined;
    door.intake.onAccept = () => new Promise((resolve) => (accept = resolve));
    const client = await inTransaction(door);
    await client.ask('DATA');
    client.raw('x\r\n.\r\n');
    await until(() => door.intake.writes === 1);
    const drained = door.door.drain();
    await soon();
    accept();
    expect(await client.rest()).toMatch(/^250 [^\r]*\r\n421 /);
    await drained;
  });

  it('says 421 to whoever has not ended when the time is up', async () => {
    const door = await openDoor({ settings: { drainMs: 30_000 } });
    const client = await inTransaction(door);
    await client.ask('DATA');
    client.raw('half a let');
    await until(() => door.intake.writes === 1);
    const drained = door.door.drain();
    await soon();
    door.clock.advance(30_000);
    expect(await client.rest()).toMatch(/^421 4\.3\.2 [^\r]*\r\n$/);
    await drained;
    expect(door.intake.abandoned).toBe(1);
  });
});

describe('a listening server from elsewhere', () => {
  it('is served, and closed with the door', async () => {
    const door = await openDoor();
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect(await door.door.listen(server)).toBe(server);
    const client = await Dialogue.dial((server.address() as AddressInfo).port);
    expect(await client.reply()).toMatch(/^220/);
    expect(door.door.connections).toBe(1);
    await client.ask('QUIT');
    await door.door.drain();
    expect(server.listening).toBe(false);
  });

  it('that cannot be had is an error', async () => {
    const door = await openDoor();
    await expect(door.door.listen({ host: '127.0.0.1', port: door.port })).rejects.toThrow(
      'EADDRINUSE',
    );
  });
});

describe('rules that change', () => {
  it('hold from the next command on', async () => {
    let databytes = 0;
    const base = await openDoor();
    const door = await openDoor({
      parts: {
        rules: () => ({
          ...{ me: 'm', greeting: 'm', badmailfrom: new Set<string>(), databytes },
          ...{ rcpthosts: () => true, isOwnIp: () => false },
        }),
      },
    });
    const client = await door.greeted();
    databytes = 5;
    expect(await client.ask('MAIL FROM:<> SIZE=6')).toMatch(/^552/);
    client.hangUp();
    expect(base.reports).toEqual([]);
  });
});

describe('settings that change', () => {
  const settings = { ...defaultSmtpSettings, timeoutMs: 60_000, maxRecipients: 1 };

  it('hold for connections that come after', async () => {
    const door = await openDoor();
    const before = await inTransaction(door);
    door.door.obey(settings);
    expect(await before.ask('RCPT TO:<ann@demo.test>')).toMatch(/^250/);
    const after = await inTransaction(door);
    expect(await after.ask('RCPT TO:<ann@demo.test>')).toMatch(/^452/);
    before.hangUp();
    after.hangUp();
  });

  it('hold for all where they are limits of the door', async () => {
    const door = await openDoor();
    const silent = await inTransaction(door);
    door.door.obey(settings);
    door.clock.advance(61_000);
    expect(await silent.rest()).toMatch(/^451 4\.4\.2 /);
    const busy = await inTransaction(door);
    door.door.obey({ ...settings, maxConnections: 1 });
    expect(await (await door.dial()).rest()).toMatch(/^421 4\.3\.2 too many connections/);
    busy.hangUp();
  });
});
