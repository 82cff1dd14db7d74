/** qmail-remote on its own, against far sides that speak from a script: what it reports, byte by byte. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { qmailRemote } from '../../../../src/cli/programs/delivery/qmail-remote.ts';
import { tcpDial } from '../../../../src/delivery/remote/dial.ts';
import { SessionPool } from '../../../../src/delivery/remote/pool.ts';
import { emptyTcpto } from '../../../../src/delivery/remote/tcpto.ts';
import { ManualClock } from '../../../../src/platform/clock.ts';
import { scriptedDns } from '../../../../src/platform/dns-scripted.ts';
import { smtpScript, type FarSide } from '../../../support/smtp-script.ts';
import { letterOffice, type LetterOffice } from './letter-file.ts';

let office: LetterOffice;
let far: FarSide | undefined;
beforeEach(() => {
  office = letterOffice('qmail-remote');
});
afterEach(async () => {
  await far?.close();
  far = undefined;
  office.remove();
});

const clock = new ManualClock();

const prepare = (port: number) => ({
  smtproutes: new Map([['b.test', `127.0.0.1:${port}`]]),
  parts: {
    hosts: { dns: scriptedDns({}), random: () => 0, ownAddresses: () => new Set<string>() },
    ...{ dial: tcpDial, clock, pool: new SessionPool(clock), tcpto: emptyTcpto() },
    patienceMs: 1,
    settings: {
      ...{
        heloHost: 'me.test',
        timeoutConnectMs: 1_000,
        timeoutRemoteMs: 60_000,
        tls: 'off' as const,
      },
      ...{ idleMs: 0, maxPerConnection: 1, listenPorts: [] },
    },
    signal: new AbortController().signal,
  },
});

async function call(script: string, args: readonly string[], letter?: string): Promise<string> {
  far = await smtpScript(script);
  const { port } = far;
  const ran = await office.onLetter(
    (stdin, print) => qmailRemote({ stdin, print, prepare: () => prepare(port) }),
    args,
    letter === undefined ? {} : { letter },
  );
  expect([ran.exit, ran.said, far.mistakes]).toEqual([0, '', []]);
  return ran.printed;
}

const greeting = 'S: 220 far.test\nC: EHLO me.test\nS: 250 far.test\n';
const to = ['b.test', 'ann@a.test', 'joe@b.test'];
const mail = 'C: MAIL FROM:<ann@a.test>\nS: 250 ok\n';
const rcpt = (answer: string, name = 'joe') => `C: RCPT TO:<${name}@b.test>\nS: ${answer}\n`;

describe('qmail-remote reports', () => {
  it('r and K for a letter that was taken', async () => {
    const script = `${greeting}${mail}${rcpt('250 ok')}C: DATA\nS: 354 go\nbody\nS: 250 ok 17`;
    expect(await call(script, to, 'A: b\n\n.dot\nlast')).toBe(
      'r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok 17\n\0',
    );
    expect(far!.bodies[0]!.toString()).toBe('A: b\r\n\r\n..dot\r\nlast\r\n');
  });
  it('one r, h or s for each recipient, then the word on the letter', async () => {
    const script =
      `${greeting}${mail}${rcpt('250 ok')}${rcpt('550 no', 'ben')}${rcpt('450 wait', 'cat')}` +
      'C: DATA\nS: 354 go\nbody\nS: 250 ok';
    expect(await call(script, [...to, 'ben@b.test', 'cat@b.test'])).toBe(
      'r\0h127.0.0.1 does not like recipient.\nRemote host said: 550 no\n\0' +
        's127.0.0.1 does not like recipient.\nRemote host said: 450 wait\n\0' +
        'K127.0.0.1 accepted message.\nRemote host said: 250 ok\n\0',
    );
  });
  it.each([
    ['450 x', 's'],
    ['550 x', 'h'],
  ])('that it gives up when nobody was taken: %s', async (answer, letter) => {
    expect(await call(`${greeting}${mail}${rcpt(answer)}`, to)).toBe(
      `${letter}127.0.0.1 does not like recipient.\nRemote host said: ${answer}\n\0` +
        'DGiving up on 127.0.0.1.\n\0',
    );
  });
  it.each([
    [
      'S: 554 go away',
      'ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 554 go away\n',
    ],
    [
      `${greeting}C: MAIL FROM:<ann@a.test>\nS: 550 not you`,
      'DConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 550 not you\n',
    ],
    [
      `${greeting}C: MAIL FROM:<ann@a.test>\nS: 450 not you`,
      'ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 450 not you\n',
    ],
    [
      `${greeting}${mail}${rcpt('250 ok')}C: DATA\nS: 451 full`,
      'r\0Z127.0.0.1 failed on DATA command.\nRemote host said: 451 full\n',
    ],
    [
      `${greeting}${mail}${rcpt('250 ok')}C: DATA\nS: 354 go\nbody\nS: 552 big`,
      'r\0D127.0.0.1 failed after I sent the message.\nRemote host said: 552 big\n',
    ],
    [
      `${greeting}${mail}${rcpt('250 ok')}C: DATA\nS: 354 go\nbody\ndrop`,
      'r\0ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n',
    ],
  ])('%j', async (script, report) => {
    expect(await call(script, to)).toBe(`${report}\0`);
  });
  it('that nobody answers, and that there is no such host', async () => {
    const ran = async (port: number, host: string) =>
      (
        await office.onLetter(
          (stdin, print) => qmailRemote({ stdin, print, prepare: () => prepare(port) }),
          [host, 's@a.test', 'joe@b.test'],
        )
      ).printed;
    expect(await ran(0, 'b.test')).toBe(
      "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n\0",
    );
    expect(await ran(0, 'nowhere.test')).toBe(
      "DSorry, I couldn't find any host named nowhere.test. (#5.1.2)\n\0",
    );
  });
  it('h for an address that SMTP cannot say, and sends to the others', async () => {
    const script = `${greeting}${mail}${rcpt('250 ok')}C: DATA\nS: 354 go\nbody\nS: 250 ok`;
    expect(await call(script, [...to.slice(0, 2), 'a\nb@b.test', 'joe@b.test'])).toBe(
      'hSorry, SMTP cannot transfer a recipient address like this. (#5.1.3)\n\0r\0' +
        'K127.0.0.1 accepted message.\nRemote host said: 250 ok\n\0',
    );
  });
  it('its own trouble: no arguments, no settings', async () => {
    const broken = () => {
      throw new Error('no helohost');
    };
    const ran = (args: readonly string[]) =>
      office.onLetter((stdin, print) => qmailRemote({ stdin, print, prepare: broken }), args);
    expect((await ran([])).printed).toBe('DI (qmail-remote) was invoked improperly. (#5.3.5)\n\0');
    expect((await ran(to)).printed).toBe('ZUnable to read control files. (#4.3.0)\n\0');
  });
});
