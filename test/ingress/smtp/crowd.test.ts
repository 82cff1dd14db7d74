import { afterEach, describe, expect, it } from '@jest/globals';
import { Crowd, type Guest } from '../../../src/ingress/smtp/crowd.ts';
import { patiencesOf } from '../../../src/ingress/smtp/patience.ts';
import { defaultSmtpSettings } from '../../../src/ingress/smtp/settings.ts';
import { networkOf } from '../../../src/mail/ip-address.ts';
import { ManualClock, type Instant } from '../../../src/platform/clock.ts';
import type { Dialogue } from './dialogue.ts';
import { closeDoors, openDoor, until } from './open-door.ts';
import type { Choices, OpenDoor } from './open-door.ts';

afterEach(closeDoors);

const patiences = patiencesOf(defaultSmtpSettings);

/** Someone who sits there and says nothing; `busy`: with mail under way. */
class Sitter implements Guest {
  readonly network: string;
  readonly trusted: boolean;
  readonly since: Instant;
  busy = false;
  asked = 0;
  sentHome: string | undefined;
  constructor(crowd: Crowd, since: Instant, network = '192.0.2.1', trusted = false) {
    this.since = since;
    this.network = network;
    this.trusted = trusted;
    crowd.seat(this);
  }
  overdrawn({ idleMs }: typeof patiences.calm, now: Instant): number {
    return this.busy ? -Infinity : now - this.since - idleMs;
  }
  idleMs(now: Instant): number | undefined {
    this.asked += 1;
    return this.busy ? undefined : now - this.since;
  }
  dismiss(why: string): void {
    this.sentHome = why;
  }
}

function room(most: number, mostPerNetwork = 0) {
  const clock = new ManualClock(0);
  const crowd = new Crowd({ most, mostPerNetwork, patiences }, clock);
  const sit = (network?: string, trusted?: boolean) =>
    new Sitter(crowd, clock.now(), network, trusted);
  return { clock, crowd, sit };
}

describe('a crowd', () => {
  it('lets in so many from one network, and any number of our own', () => {
    const { crowd, sit } = room(100, 2);
    const [first] = [sit('a'), sit('a'), sit('b'), sit('a', true)];
    expect(crowd.admits('a', false)).toBe('too-many-from-there');
    expect(crowd.admits('a', true)).toBe('welcome');
    expect(crowd.admits('b', false)).toBe('welcome');
    crowd.leave(first);
    crowd.leave(first);
    expect(crowd.admits('a', false)).toBe('welcome');
  });

  it('sends home for a newcomer whoever has been idle longest, our own last', () => {
    const { clock, crowd, sit } = room(4);
    const own = sit('a', true);
    clock.advance(10);
    const first = sit();
    clock.advance(10);
    const [second, third] = [sit(), sit()];
    third.busy = true;
    clock.advance(1_000);
    for (const sitter of [first, second, own]) {
      expect(crowd.admits('x', false)).toBe('welcome');
      expect(sitter.sentHome).toBe('crowded');
      sit('x').busy = true;
    }
    expect(crowd.admits('x', false)).toBe('full');
    expect(third.sentHome).toBeUndefined();
  });

  it('sends nobody home who has been quiet for less than a second', () => {
    const { clock, crowd, sit } = room(2);
    sit();
    sit();
    clock.advance(999);
    expect(crowd.admits('x', false)).toBe('full');
    clock.advance(101);
    expect(crowd.admits('x', false)).toBe('welcome');
  });

  it('does not ask everybody for every newcomer', () => {
    const { clock, crowd, sit } = room(1_000);
    const sitters = Array.from({ length: 1_000 }, () => sit());
    clock.advance(2_000);
    const before = sitters.reduce((sum, { asked }) => sum + asked, 0);
    for (let n = 0; n < 1_000; n += 1) {
      expect(crowd.admits('x', false)).toBe('welcome');
      sit('x');
    }
    for (let n = 0; n < 1_000; n += 1) expect(crowd.admits('x', false)).toBe('full');
    const asked = sitters.reduce((sum, sitter) => sum + sitter.asked, 0) - before;
    expect(asked).toBeLessThan(50_000);
    expect(sitters.every(({ sentHome }) => sentHome === 'crowded')).toBe(true);
  });

  it('waits five minutes for each while there is room', () => {
    const { clock, crowd, sit } = room(100);
    const first = sit();
    clock.advance(150_000);
    const second = sit();
    clock.advance(150_000);
    expect([first.sentHome, second.sentHome]).toEqual([undefined, undefined]);
    clock.advance(1_000);
    expect([first.sentHome, second.sentHome]).toEqual(['late', undefined]);
    expect(crowd.size).toBe(1);
  });

  it('above three quarters waits ten seconds, and sends home no more than it must', () => {
    const { clock, crowd, sit } = room(8);
    const own = sit('a', true);
    const sitters = Array.from({ length: 7 }, () => {
      clock.advance(100);
      return sit();
    });
    clock.advance(20_000);
    const gone = sitters.map(({ sentHome }) => sentHome === 'crowded');
    expect(gone).toEqual([true, true, false, false, false, false, false]);
    expect(own.sentHome).toBeUndefined();
    expect(crowd.size).toBe(6);
  });

  it('sets no alarm when nobody is there', () => {
    const { clock, crowd, sit } = room(10);
    expect(clock.next()).toBeUndefined();
    const guests = [sit(), sit()];
    expect(clock.next()).toBe(1_000);
    clock.advance(5_000);
    guests.forEach((guest) => crowd.leave(guest));
    expect(clock.next()).toBeUndefined();
    sit();
    clock.advance(400_000);
    expect([crowd.size, clock.next()]).toEqual([0, undefined]);
  });
});

describe('one client', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
  ])('at %s is whoever comes from %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});

const letterFrom = async (client: Dialogue): Promise<string | undefined> => {
  await client.ask('MAIL FROM:<ann@far.test>');
  await client.ask('RCPT TO:<joe@demo.test>');
  await client.ask('DATA');
  return client.ask('x\r\n.');
};

async function startLetter(door: OpenDoor): Promise<Dialogue> {
  const client = await door.greeted();
  await client.ask('MAIL FROM:<ann@far.test>');
  await client.ask('RCPT TO:<joe@demo.test>');
  await client.ask('DATA');
  return client;
}

/** Bytes one by one, a second apart; resolves when the door has had enough. */
async function drip(client: Dialogue, door: OpenDoor, bytes: number): Promise<string> {
  let over = false;
  client.socket.once('end', () => (over = true));
  for (let n = 0; n < bytes && !over; n += 1) {
    client.raw('x');
    await new Promise((resolve) => setImmediate(resolve));
    door.clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return client.rest();
}

describe('a door full of clients who say nothing', () => {
  const full: Choices = { settings: { maxConnections: 4 } };

  it('takes a newcomer all the same, and tells another to go', async () => {
    const door = await openDoor(full);
    const clients = [await door.greeted(), await door.greeted(), await startLetter(door)];
    door.clock.advance(1_000);
    clients.push(await door.greeted());
    const newcomer = await door.greeted();
    expect(await letterFrom(newcomer)).toMatch(/^250/);
    expect(await clients[0]!.rest()).toBe(
      '421 4.3.2 too many connections, and you keep others waiting (#4.3.2)\r\n',
    );
    expect(await clients[2]!.ask('.')).toMatch(/^250/);
    expect(door.refusals.map(({ reply }) => reply.slice(0, 9))).toEqual(['421 4.3.2']);
    for (const client of [...clients, newcomer]) client.hangUp();
  });

  it('turns newcomers away when all have mail under way', async () => {
    const door = await openDoor(full);
    const clients = [];
    for (let n = 0; n < 4; n += 1) clients.push(await startLetter(door));
    door.clock.advance(5_000);
    const newcomer = await door.dial();
    expect(await newcomer.rest()).toBe(
      '421 4.3.2 too many connections, try again in a moment (#4.3.2)\r\n',
    );
    for (const client of clients) expect(await client.ask('.')).toMatch(/^250/);
    for (const client of clients) client.hangUp();
  });

  it('does not wait for those it has sent home', async () => {
    const door = await openDoor(full);
    for (let n = 0; n < 4; n += 1) {
      const deaf = await door.greeted();
      deaf.socket.pause();
    }
    door.clock.advance(2_000);
    const newcomers = [];
    for (let n = 0; n < 4; n += 1) newcomers.push(await door.greeted());
    await until(() => door.door.connections === 4);
    expect(await newcomers[0]!.ask('NOOP')).toMatch(/^250/);
    for (const newcomer of newcomers) newcomer.hangUp();
    await until(() => door.door.connections === 0);
  });
});

describe('a client that sends a byte a second', () => {
  it('in a command line is sent home after five minutes', async () => {
    const door = await openDoor();
    const client = await door.greeted();
    expect(await drip(client, door, 1_000)).toBe('451 4.4.2 timeout (#4.4.2)\r\n');
    expect(door.clock.now() - Date.UTC(2026, 10, 20, 23, 48, 1)).toBeLessThan(310_000);
  });

  it('of a letter, too, and its letter is forgotten', async () => {
    const door = await openDoor();
    const client = await startLetter(door);
    expect(await drip(client, door, 1_000)).toMatch(/^451 4\.4\.2 the message takes too long/);
    expect(door.clock.now() - Date.UTC(2026, 10, 20, 23, 48, 1)).toBeLessThan(310_000);
    await until(() => door.intake.abandoned === 1);
  });

  it('of a letter goes within half a minute from a door that is nearly full', async () => {
    const door = await openDoor({ settings: { maxConnections: 4 } });
    const others = [await startLetter(door), await startLetter(door), await startLetter(door)];
    const client = await startLetter(door);
    let over = false;
    client.socket.once('end', () => (over = true));
    let seconds = 0;
    for (; seconds < 100 && !over; seconds += 1) {
      const before = door.intake.writes;
      for (const other of others) other.raw('y'.repeat(600));
      client.raw('x');
      await until(() => over || door.intake.writes === before + 4);
      door.clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await client.rest()).toMatch(/^421 4\.3\.2 /);
    expect(seconds).toBeLessThan(40);
    for (const other of others) expect(await other.ask('\r\n.')).toMatch(/^250/);
    for (const other of others) other.hangUp();
  });

  it('is waited for where no pace is asked for', async () => {
    const door = await openDoor({ settings: { minBytesPerSecond: 0 } });
    const client = await startLetter(door);
    for (let second = 0; second < 600; second += 1) {
      client.raw('x');
      await until(() => door.intake.writes === second + 1);
      door.clock.advance(1_000);
    }
    expect(await client.ask('\r\n.')).toMatch(/^250/);
    client.hangUp();
  });
});

describe('too many from one address', () => {
  it('hear so; relay clients do not count', async () => {
    const settings = { maxPerAddress: 2 };
    const door = await openDoor({ settings });
    const clients = [await door.greeted(), await door.greeted()];
    const third = await door.dial();
    expect(await third.rest()).toBe(
      '421 4.7.0 too many connections from your address (#4.7.0)\r\n',
    );
    clients[0]!.hangUp();
    await until(() => door.door.connections === 1);
    clients.push(await door.greeted());
    const open = await openDoor({ settings, env: { RELAYCLIENT: '' } });
    for (let n = 0; n < 5; n += 1) clients.push(await open.greeted());
    for (const client of clients) client.hangUp();
  });
});
