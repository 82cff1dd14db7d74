/**
 * Every worked example of qmail-local(8), dot-qmail(5) and qmail-command(8) as a row: a file, a letter,
 * and what comes of them. Each is delivered for real, into a home of its own.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync } from 'node:fs';
import { sanitizeForLog } from '../../../src/mail/sanitize.ts';
import { bodyOf, brokenBody, Home, post, type Story } from './story.ts';
import { dotQmailCases } from '../../support/dot-qmail-cases.ts';

let home: Home;
beforeEach(() => {
  home = new Home().maildir();
});
afterEach(() => home.remove());

const xBit = (what: 'file' | 'prog') =>
  `ZUh-oh: .qmail has ${what} delivery but has x bit set. (#4.7.0)\n`;
const blank = 'ZUh-oh: first line of .qmail file is blank. (#4.2.1)\n';
const noMailbox = 'DSorry, no mailbox here by that name. (#5.1.1)\n';

describe('the file of an address', () => {
  it.each(dotQmailCases)(
    'with dash %j and extension %j is the first of %j',
    async (dash, ext, names) => {
      const from = async () => (await post(home, { owner: { dash, ext } })).outcome.lines?.from;
      // One that looks as if it could be meant, and is not.
      home.write('.qmail-a-b-c-default', '# no\n').write('.qmail-a-default-default', '# no\n');
      expect(await from()).toBe(dash === '' ? 'default delivery' : undefined);
      for (const name of [...names].reverse()) {
        home.write(name, '# here\n');
        expect(await from()).toBe(name);
      }
    },
  );

  it.each([
    ['a-b-c', '.qmail-a-default', 'b-c'],
    ['A.B', '.qmail-default', 'A.B'],
    ['A-', '.qmail-a-default', ''],
    ['A-DEFAULT', '.qmail-a-default', 'DEFAULT'],
    ['a', '.qmail-a', 'unset'],
  ])('for %s being %s sets DEFAULT to %j', async (ext, name, value) => {
    home.write(name, '|echo "${DEFAULT-unset}"\n');
    expect((await post(home, { owner: { dash: '-', ext } })).said).toBe(`K${value}\ndid 0+0+1\n`);
  });

  it.each([
    ['-', 'x', noMailbox],
    ['', '', 'Kdid 1+0+0\n'],
  ])('that is not there means, with dash %j and extension %j: %j', async (dash, ext, said) => {
    expect((await post(home, { owner: { dash, ext } })).said).toBe(said);
  });
});

describe('a home', () => {
  it.each([
    [0o702, 'ZUh-oh: home directory is writable. (#4.7.0)\n'],
    [0o1700, 'ZHome directory is sticky: user is editing his .qmail file. (#4.2.1)\n'],
    [0o770, 'Kdid 1+0+0\n'],
  ])('of mode %o: %j', async (mode, said) => {
    chmodSync(home.path, mode);
    expect((await post(home)).said).toBe(said);
  });

  it('that is not there cannot be switched to', async () => {
    expect((await post(home, { owner: { home: '/nonexist' } })).said).toBe(
      'ZUnable to switch to /nonexist: file does not exist. (#4.3.0)\n',
    );
  });
});

describe('a line', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['a blank one after the first', '# c\n\n', 'Kdid 0+0+0\n', []],
    ['a blank first one', '\n./mb\n', blank, []],
    ['a first one of blanks', ' \t\n./mb\n', blank, []],
    ['a comment', '# c\n', 'Kdid 0+0+0\n', []],
    ['an mbox', './mb\n', 'Kdid 1+0+0\n', []],
    ['a Maildir', './Maildir/\n', 'Kdid 1+0+0\n', []],
    ['a program, its leading blanks kept', '|  echo a\n', 'Ka\ndid 0+0+1\n', []],
    ['an unknown flag', '+x\n./mb\n', 'Kdid 1+0+0\n', []],
    ['a forward', '&a@b\n', 'Kdid 0+1+0\n', ['a@b']],
    ['a forward without &', 'a@b\n', 'Kdid 0+1+0\n', ['a@b']],
    ['a forward with a blank in front', '& c@d\n', 'Kdid 0+1+0\n', [' c@d']],
    ['what looks like a file but for blanks', '  ./mb\n', 'Kdid 0+1+0\n', ['  ./mb']],
    ['an odd character', '!x\n', 'Kdid 0+1+0\n', ['!x']],
    ['a lone &', '&\n', 'Kdid 0+1+0\n', ['']],
    ['angle brackets and a comment', '&<a@b> (c)\n', 'Kdid 0+1+0\n', ['<a@b> (c)']],
    ['a file with the x bit', 'x:./mb\n', xBit('file'), []],
    ['a program with the x bit', 'x:|true\n', xBit('prog'), []],
    ['a forward with the x bit', 'x:&a@b\n', 'Kdid 0+1+0\n', ['a@b']],
    ['a program after +list', '+list\n|true\n', xBit('prog'), []],
  ])('that is %s: %j gives %j', async (_, text, said, forwards) => {
    const executable = text.startsWith('x:');
    home.write('.qmail', text.replace(/^x:/, ''), executable ? 0o700 : 0o600);
    const { said: heard, forward } = await post(home);
    expect([heard, forward?.recipients ?? []]).toEqual([said, forwards]);
  });
});

describe('a mailbox', () => {
  it('of the kind mbox has the letter between a From_ line and a blank line', async () => {
    home.write('.qmail', './mb\n');
    await post(home, { returnPath: 's p\tx@y', domain: 'h', body: bodyOf('A: b\r\n\r\npartial') });
    expect(home.read('mb')).toBe(
      'From s-p-x@y Fri Nov 20 23:49:09 2026\nReturn-Path: <"s p\tx"@y>\nDelivered-To: joe@h\n' +
        'A: b\n\npartial\n\n',
    );
  });

  it.each([
    ['From a', '>From a'],
    ['>From a', '>>From a'],
    ['>>>From a', '>>>>From a'],
    ['from a', 'from a'],
    [' From a', ' From a'],
    ['From:', 'From:'],
  ])('of the kind mbox has %j as %j', async (line, quoted) => {
    home.write('.qmail', './mb\n');
    await post(home, { body: bodyOf(`\r\n${line}\r\n`) });
    expect(home.read('mb').split('\n').slice(4, 6)).toEqual([quoted, '']);
  });

  it('of the kind Maildir has it as it came', async () => {
    await post(home, { body: bodyOf('A: b\r\n\r\nFrom a\r\npartial') });
    expect(home.letters()).toEqual([
      'Return-Path: <s@q.r>\nDelivered-To: joe@demo.test\nA: b\n\nFrom a\npartial',
    ]);
  });

  it.each<[string, string, Story, string]>([
    ['Maildir that is not there', './no/\n', {}, 'ZUnable to chdir to maildir. (#4.2.1)\n'],
    ['Maildir without tmp', './\n', {}, 'ZTemporary error on maildir delivery. (#4.3.0)\n'],
    [
      'Maildir, the letter broken',
      './Maildir/\n',
      { body: brokenBody('A: b\r\n\r\nx\r\ny\r\n') },
      'ZUnable to read message. (#4.3.0)\n',
    ],
    [
      'mbox in no directory',
      './no/mb\n',
      {},
      'ZUnable to open ./no/mb: file does not exist. (#4.2.1)\n',
    ],
    [
      'mbox that is a directory',
      './Maildir\n',
      {},
      'ZUnable to open ./Maildir: is a directory. (#4.2.1)\n',
    ],
    [
      'mbox on a full disk',
      '/dev/full\n',
      {},
      'ZUnable to write /dev/full: out of disk space. (#4.3.0)\n',
    ],
  ])('of the kind %s defers', async (_, text, story, said) => {
    home.write('.qmail', text);
    expect((await post(home, story)).said).toBe(said);
  });
});

describe('a program', () => {
  it.each([
    ...[0, 99].map((code) => [code, 'K'] as const),
    ...[100, 64, 65, 70, 76, 77, 78, 112].map((code) => [code, 'D'] as const),
    ...[111, 1, 2, 71, 74, 75, 126, 127, 255].map((code) => [code, 'Z'] as const),
  ])('that exits %d gives %s', async (code, letter) => {
    home.write('.qmail', `|exit ${code}\n`);
    expect((await post(home)).said.charAt(0)).toBe(letter);
  });

  it('that is killed has crashed', async () => {
    home.write('.qmail', '|kill -9 $$\n');
    expect((await post(home)).said).toBe('ZAack, child crashed. (#4.3.0)\n');
  });

  it.each([
    ['USER', 'joe'],
    ['LOCAL', 'joe-a-b-c'],
    ['HOST', 'h.x.y.z'],
    ['RECIPIENT', 'joe-a-b-c@h.x.y.z'],
    ['SENDER', 's@q.r'],
    ['NEWSENDER', 's@q.r'],
    ['EXT', 'a-b-c'],
    ['EXT2', 'b-c'],
    ['EXT3', 'c'],
    ['EXT4', ''],
    ['HOST2', 'h.x.y'],
    ['HOST3', 'h.x'],
    ['HOST4', 'h'],
    ['DTLINE', 'Delivered-To: joe-a-b-c@h.x.y.z\n'],
    ['RPLINE', 'Return-Path: <s@q.r>\n'],
    ['UFLINE', 'From s@q.r Fri Nov 20 23:49:09 2026\n'],
    ['DEFAULT', 'a-b-c'],
  ])('has %s as %j', async (name, value) => {
    home.write('.qmail-default', `|printf %s "$${name}"\n`);
    const { said } = await post(home, { local: 'joe-a-b-c', domain: 'h.x.y.z' });
    expect(said).toBe(`K${value}did 0+0+1\n`);
  });

  it.each([
    ['a.b', 'a a a'],
    ['h', 'h h h'],
  ])('at the host %s has HOST2, HOST3, HOST4 as %j', async (domain, hosts) => {
    home.write('.qmail', '|echo "$HOST2 $HOST3 $HOST4"\n');
    expect((await post(home, { domain })).said).toBe(`K${hosts}\ndid 0+0+1\n`);
  });

  it.each([
    ['|echo out; echo err >&2; exit 100\n', 'D', 'out/err/'],
    ['|exit 100\n', 'D', ''],
    ['./mb\n', 'K', 'did_1+0+0/'],
    ['&a@b\n&c@d\n|true\n', 'K', 'did_0+2+1/'],
    ['|printf "a%%b\\\\tc"\n', 'K', 'a_b_cdid_0+0+1/'],
  ])('of %j is %s and logged as %j', async (text, letter, logged) => {
    const { said } = await post(home.write('.qmail', text));
    expect([said.charAt(0), sanitizeForLog(said.slice(1))]).toEqual([letter, logged]);
  });

  it('that says too much is cut short', async () => {
    const { said } = await post(home.write('.qmail', '|yes | head -c 3001; exit 111\n'));
    expect(said).toBe(`Z${'y\n'.repeat(1_483)}\nError report too long, sorry.\n`);
  });
});

describe('the sender of forwards', () => {
  it.each([
    ['', true, true, ''],
    ['#@[]', true, true, '#@[]'],
    ['s@q.r', false, true, 's@q.r'],
    ['s@q.r', true, false, 'joe-list-owner@h.x.y.z'],
    ['s@q.r', true, true, 'joe-list-owner-@h.x.y.z-@[]'],
    // Whoever makes a letter to each of the members has put the member's name in: not we.
    ['pre@host-@[]', false, false, 'pre@host-@[]'],
  ])(
    'from %j, with -owner %p and -owner-default %p, is %j',
    async (returnPath, own, ownd, sender) => {
      home.write('.qmail-list', '&a@b\n');
      if (own) home.write('.qmail-list-owner', '');
      if (ownd) home.write('.qmail-list-owner-default', '');
      const { forward } = await post(home, { local: 'joe-list', domain: 'h.x.y.z', returnPath });
      expect(forward?.returnPath).toBe(sender);
    },
  );

  it('is .qmail-owner for the bare user', async () => {
    home.write('.qmail', '&a@b\n').write('.qmail-owner', '');
    expect((await post(home)).forward?.returnPath).toBe('joe-owner@demo.test');
  });

  it('hears of one subscriber from .qmail-list-owner-default', async () => {
    home.write('.qmail-list-owner-default', '|echo "$DEFAULT"\n');
    const { said } = await post(home, { local: 'joe-list-owner-r=d' });
    expect(said).toBe('Kr=d\ndid 0+0+1\n');
  });
});

describe('a loop', () => {
  const looping = 'DThis message is looping: it already has my Delivered-To line. (#5.4.6)\n';
  it.each([
    ['Delivered-To: joe@h.x\r\n\r\n', looping],
    ['A: b\r\nDelivered-To: joe@h.x\r\nC: d\r\n\r\n', looping],
    ['delivered-to: joe@h.x\r\n\r\n', 'Kdid 1+0+0\n'],
    ['Delivered-To: joe@H.x\r\n\r\n', 'Kdid 1+0+0\n'],
    ['A: b\r\n\r\nDelivered-To: joe@h.x\r\n', 'Kdid 1+0+0\n'],
    ['Delivered-To: joe@h.x', 'Kdid 1+0+0\n'],
    ['Delivered-To:\r\n joe@h.x\r\n\r\n', 'Kdid 1+0+0\n'],
  ])('is %j or not: %j', async (text, said) => {
    expect((await post(home, { domain: 'h.x', body: bodyOf(text) })).said).toBe(said);
  });
});

describe('a whole file', () => {
  /** What there is afterwards besides the file itself and the Maildir. */
  const made = () => home.list('.').filter((name) => !['.qmail', 'Maildir'].includes(name));

  it.each<[string, string, readonly string[] | undefined, readonly string[]]>([
    ['&pre@x\n|exit 99\n&post@x\n./mb\n', 'Kdid 0+1+1\n', ['pre@x'], []],
    ['&pre@x\n|exit 1\n./mb\n', 'Z', undefined, []],
    ['./Mailbox\n|exit 100\n', 'D', undefined, ['Mailbox']],
    ['./Mailbox\n|exit 111\n', 'Z', undefined, ['Mailbox']],
    ['# c\n\n./mb  \t\n|echo hi \n&a b \n& c@d\n', 'Khi\ndid 1+2+1\n', ['a b', ' c@d'], ['mb']],
    ['./nonl', 'Kdid 1+0+0\n', undefined, ['nonl']],
    ['+list\n&a@b\n./mb\n', xBit('file'), undefined, []],
    ['|head -1\n|head -2\n', 'KSubject: hello\nSubject: hello\n\ndid 0+0+2\n', undefined, []],
  ])('%j gives %j', async (text, said, forwards, files) => {
    const { said: heard, forward } = await post(home.write('.qmail', text));
    expect([heard, forward?.recipients, made()]).toEqual([said, forwards, files]);
  });

  it('of 0 bytes, mode 755, is the default delivery, x bit or not', async () => {
    expect((await post(home.write('.qmail', '', 0o755))).said).toBe('Kdid 1+0+0\n');
    expect(home.letters()).toHaveLength(1);
  });

  it('that defers after an mbox fills that at every retry; a Maildir gets the letter once', async () => {
    home.write('.qmail', './Mailbox\n./Maildir/\n|exit 111\n');
    for (const attempt of [1, 2, 3]) await post(home, { attempt });
    expect(home.read('Mailbox').match(/Subject: hello/g)).toHaveLength(3);
    expect(home.letters()).toHaveLength(1);
  });
});
