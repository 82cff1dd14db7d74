/** The desk's guards one by one. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { openAttempts } from '../../src/desk/guard/attempts.ts';
import { ownPath } from '../../src/desk/guard/entry.ts';
import { hostNames } from '../../src/desk/guard/host-names.ts';
import { linkLifeMs, makeTicket, openTickets } from '../../src/desk/guard/one-time-links.ts';
import { peerUid } from '../../src/desk/guard/peer-uid.ts';
import { openSessions, sessionLimits } from '../../src/desk/guard/sessions.ts';
import { subjectIn } from '../../src/desk/subject.ts';
import { isLoopback } from '../../src/mail/ip-address.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { hashPassword, isPassword, parsePasswordHash } from '../../src/platform/password-hash.ts';

describe('a password', () => {
  it('is known by its line, and by no other', async () => {
    const line = await hashPassword('Grüße aus Köln');
    const hash = parsePasswordHash(`${line}\n`)!;
    expect(line).not.toContain('Köln');
    expect(await isPassword('Grüße aus Köln', hash)).toBe(true);
    expect(await isPassword('Grüße aus Köln'.normalize('NFD'), hash)).toBe(true);
    expect(await isPassword('Grüße aus Bonn', hash)).toBe(false);
    expect(await hashPassword('Grüße aus Köln')).not.toBe(line);
  });

  it('is not read from a line that is damaged, or that would cost too much', () => {
    const salt = 'a'.repeat(22);
    const sum = 'b'.repeat(43);
    expect(parsePasswordHash(`scrypt ln=15,r=8,p=1 ${salt} ${sum}`)).toBeDefined();
    for (const line of [
      '',
      'secret',
      `scrypt ln=30,r=8,p=1 ${salt} ${sum}`,
      `scrypt ln=15,r=99,p=1 ${salt} ${sum}`,
      `scrypt ln=15,r=8,p=1 ${salt} ${sum}x`,
    ]) {
      expect(parsePasswordHash(line)).toBeUndefined();
    }
  });
});

describe('sessions', () => {
  it('make room for new ones by ending the one that was idle longest', () => {
    const clock = new ManualClock();
    const sessions = openSessions(clock, { ...sessionLimits, sessions: 3 });
    const [first, second, third] = ['a', 'b', 'c'].map((who) => sessions.open(who));
    expect(sessions.find(first!)?.who).toBe('a');
    sessions.open('d');
    expect(sessions.size).toBe(3);
    expect(sessions.find(second!)).toBeUndefined();
    expect(sessions.find(first!)?.who).toBe('a');
    expect(sessions.find(third!)?.who).toBe('c');
  });

  it('end when another password is set, and begin anew under that', () => {
    let password: string | undefined = 'one';
    const sessions = openSessions(new ManualClock(), sessionLimits, () => password);
    const old = sessions.open('a');
    password = 'two';
    expect(sessions.find(old)).toBeUndefined();
    const young = sessions.open('a');
    expect(sessions.find(young)?.who).toBe('a');
    password = undefined;
    expect(sessions.find(young)).toBeUndefined();
  });

  it('end after their days even when they are used all the time', () => {
    const clock = new ManualClock();
    const sessions = openSessions(clock);
    const cookie = sessions.open('a');
    const start = clock.now();
    while (sessions.find(cookie) !== undefined) clock.advance(sessionLimits.idleMs);
    expect(clock.now() - start).toBe(sessionLimits.ageMs);
  });
});

describe('one-time links', () => {
  it('work once, for a while, and only with the token they were made from', () => {
    const tickets = openTickets('token');
    const ticket = makeTicket('token', 1_000);
    expect(tickets.use(ticket, 1_000 + linkLifeMs + 1)).toBe(false);
    expect(openTickets('another').use(ticket, 2_000)).toBe(false);
    expect(tickets.use(ticket, 2_000)).toBe(true);
    expect(tickets.use(ticket, 2_000)).toBe(false);
  });

  it('are no links when a letter of them is another', () => {
    const ticket = makeTicket('token', 1_000);
    fc.assert(
      fc.property(
        fc.nat(ticket.length - 1),
        fc.constantFrom('0', '9', 'a', 'Z', '-', '.'),
        (at, letter) => {
          fc.pre(ticket[at] !== letter);
          const other = ticket.slice(0, at) + letter + ticket.slice(at + 1);
          // The last letter of base64 has bits that count for nothing; the text is compared all the same.
          return !openTickets('token').use(other, 2_000);
        },
      ),
    );
  });
});

describe('guessing', () => {
  it('waits longer after each wrong one, and is forgiven by a right one', () => {
    const clock = new ManualClock();
    const attempts = openAttempts(clock);
    const waits: number[] = [];
    for (let tries = 0; tries < 9; tries += 1) {
      const wait = attempts.begin('192.0.2.1');
      waits.push(wait);
      clock.advance(wait);
      if (wait > 0) attempts.begin('192.0.2.1');
    }
    expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(waits.slice(5)).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(attempts.begin('192.0.2.2')).toBe(0);
    attempts.right('192.0.2.1');
    expect(attempts.begin('192.0.2.1')).toBe(0);
  });

  it('from everywhere at once waits for the next minute', () => {
    const attempts = openAttempts(new ManualClock());
    const waits = Array.from({ length: 400 }, (_, n) => attempts.begin(`192.0.${n % 7}.${n}`));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(300);
  });

  it('from everywhere at once keeps nobody out who was right before', () => {
    const clock = new ManualClock();
    const attempts = openAttempts(clock);
    attempts.begin('192.0.2.1');
    attempts.right('192.0.2.1');
    for (let n = 0; n < 400; n += 1) attempts.begin(`198.51.${n % 7}.${n % 256}`);
    expect(attempts.begin('203.0.113.1')).toBeGreaterThan(0);
    expect(attempts.begin('192.0.2.1')).toBe(0);
    clock.advance(60_000);
    expect(attempts.begin('203.0.113.1')).toBe(0);
  });

  it('by one stranger takes few of all tries, however many addresses of its network it has', () => {
    const attempts = openAttempts(new ManualClock());
    const tries = Array.from({ length: 400 }, (_, n) =>
      attempts.begin(`2001:db8:1:2::${n.toString(16)}`),
    );
    expect(tries.filter((wait) => wait === 0)).toHaveLength(5);
    expect(attempts.begin('2001:db8:1:3::1')).toBe(0);
    expect(attempts.begin('::ffff:192.0.2.1')).toBe(0);
    expect(attempts.begin('::ffff:192.0.2.2')).toBe(0);
    for (let n = 0; n < 5; n += 1) attempts.begin('192.0.2.1');
    expect(attempts.waitOf('::ffff:192.0.2.1')).toBeGreaterThan(0);
    expect(attempts.waitOf('192.0.2.2')).toBe(0);
  });
});

describe('names of the desk', () => {
  it('are the loopback’s, its own address, and those that were told', () => {
    const isOurs = hostNames('127.0.0.1', ['desk.b.test', 'other.test:8443']);
    const ours = [
      'localhost:8025',
      '127.0.0.1',
      '[::1]:8025',
      'LOCALHOST',
      'desk.b.test:99',
      'other.test:8443',
    ];
    const others = [
      'evil.test',
      'localhost.evil.test',
      'other.test',
      '192.0.2.1:8025',
      '',
      undefined,
      'localhost:8025@evil.test',
    ];
    expect(ours.filter((host) => !isOurs(host))).toEqual([]);
    expect(others.filter((host) => isOurs(host))).toEqual([]);
  });

  it('are any address where it listens on all of them', () => {
    const isOurs = hostNames('::', []);
    expect(isOurs('192.0.2.1:8025')).toBe(true);
    expect(isOurs('[2001:db8::1]:8025')).toBe(true);
    expect(isOurs('rebound.evil.test:8025')).toBe(false);
  });
});

describe('the kernel’s word on a connection', () => {
  const isLinux = process.platform === 'linux';
  const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === '::1'),
  );
  (isLinux ? it : it.skip)(
    `is our own user for our own connection, over IPv4 and IPv6${hasIpv6 ? '' : ' (of which there is none here)'}`,
    async () => {
      for (const host of hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, host, resolve));
        const client = connect((server.address() as AddressInfo).port, host);
        const socket = await new Promise<Socket>((resolve) => server.once('connection', resolve));
        const { remoteAddress, remotePort, localAddress, localPort } = socket;
        const connection = {
          ...{ remoteAddress: remoteAddress!, remotePort: remotePort! },
          ...{ localAddress: localAddress!, localPort: localPort! },
        };
        expect([host, peerUid(connection)]).toEqual([host, process.getuid!()]);
        client.destroy();
        socket.destroy();
        server.close();
      }
    },
  );

  it('is not heard of a socket that nobody holds any more', () => {
    const line = (state: string, inode: number) =>
      `head\n   0: 0100007F:1F90 0100007F:1F59 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1\n`;
    const connection = {
      ...{ remoteAddress: '127.0.0.1', remotePort: 0x1f90 },
      ...{ localAddress: '127.0.0.1', localPort: 0x1f59 },
    };
    expect(peerUid(connection, () => line('01', 77))).toBe(0);
    expect(peerUid(connection, () => line('01', 0))).toBeUndefined();
    expect(peerUid(connection, () => line('04', 77))).toBeUndefined();
    expect(peerUid({ ...connection, remotePort: 1 }, () => line('01', 77))).toBeUndefined();
  });

  it('is asked of the loopback only', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    expect(['192.0.2.1', '::2', '::ffff:192.0.2.1', undefined].some(isLoopback)).toBe(false);
  });
});

describe('a place to go on to', () => {
  it('is never on another site', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string(),
          fc.string().map((text) => `/${text}`),
        ),
        (text) => {
          const url = new URL(ownPath(text), 'http://desk.test/');
          return url.origin === 'http://desk.test';
        },
      ),
    );
  });
});

describe('a subject', () => {
  it('is unfolded and decoded, whatever it says', () => {
    const of = (lines: string) =>
      subjectIn(Buffer.from(`From: a@b.test\r\n${lines}\r\n\r\nSubject: not this\r\n`));
    expect(of('Subject: plain')).toBe('plain');
    expect(of('SUBJECT:\r\n folded\r\n further')).toBe('folded further');
    expect(of('Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?IGF1cyBLw7Zsbg==?=')).toBe(
      'Grüße aus Köln',
    );
    expect(of('Subject: =?x-nothing?Q?a?=')).toBe('=?x-nothing?Q?a?=');
    expect(of('Subject: <script>')).toBe('<script>');
    expect(of('X: y')).toBeUndefined();
  });
});
