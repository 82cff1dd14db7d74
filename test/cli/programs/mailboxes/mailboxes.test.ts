/** Tools for people's mailboxes: a Maildir made, moved into an mbox, watched, and announced on a terminal. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { forTerminal, gistOf } from '../../../../src/cli/programs/mailboxes/gist.ts';
import { maildir2mbox } from '../../../../src/cli/programs/mailboxes/maildir2mbox.ts';
import { mailReader } from '../../../../src/cli/programs/mailboxes/mail-reader.ts';
import { maildirmake } from '../../../../src/cli/programs/mailboxes/maildirmake.ts';
import { maildirwatch } from '../../../../src/cli/programs/mailboxes/maildirwatch.ts';
import { qbiff, type Terminals } from '../../../../src/cli/programs/mailboxes/qbiff.ts';
import { parseUtmp } from '../../../../src/cli/programs/mailboxes/utmp.ts';
import type { LockAnswer } from '../../../../src/delivery/local/dot-lock.ts';
import { ManualClock } from '../../../../src/platform/clock.ts';
import { makeOffice, type Office } from '../call.ts';

let office: Office;
let maildir: string;
let mbox: string;
beforeEach(() => {
  office = makeOffice();
  maildir = join(office.root, 'Maildir');
  mbox = join(office.root, 'mbox');
});
afterEach(() => office.remove());

const now = Date.UTC(2026, 10, 20, 23, 49, 9);
let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock(now);
});

/** A letter of so many seconds ago. */
function put(folder: string, name: string, text: string, age = 10): void {
  const path = join(maildir, folder, name);
  writeFileSync(path, text, 'latin1');
  utimesSync(path, now / 1000 - age, now / 1000 - age);
}
const make = () => office.call('maildirmake', maildirmake, [maildir]);

describe('maildirmake', () => {
  it('makes a Maildir that is nobody else’s', async () => {
    expect(await make()).toEqual({ exit: 0, said: '' });
    for (const name of ['', 'tmp', 'new', 'cur']) {
      expect(statSync(join(maildir, name)).mode & 0o777).toBe(0o700);
    }
  });
  it('makes none over what is there', async () => {
    mkdirSync(maildir);
    expect(await make()).toEqual({
      exit: 111,
      said: `maildirmake: fatal: unable to mkdir ${maildir}: file already exists\n`,
    });
  });
  it('wants a name', async () => {
    expect(await office.call('maildirmake', maildirmake, [])).toEqual({
      ...{ exit: 100, said: 'maildirmake: usage: maildirmake name\n' },
    });
  });
});

/** Of locks that other programs may have, fcntl's and flock's. */
let kernelSays: LockAnswer;
const kernelLock = async (_fd: number, waitMs: number): Promise<LockAnswer> => {
  if (kernelSays === 'busy') clock.advance(waitMs);
  return kernelSays;
};

describe('maildir2mbox', () => {
  beforeEach(async () => {
    kernelSays = 'locked';
    await make();
  });
  const run = (env = {}) =>
    office.call('maildir2mbox', maildir2mbox({ clock, kernelLock }), [], '', {
      ...{ MAILDIR: maildir, MAIL: mbox, MAILTMP: `${mbox}.tmp` },
      ...env,
    });

  it('moves new and old letters behind what the mbox has, oldest first, each with its From_ line', async () => {
    writeFileSync(mbox, 'From old\n\nwas here\n\n');
    chmodSync(mbox, 0o640);
    put('new', 'b', 'Return-Path: <s p@y>\nDelivered-To: joe@h\n\nFrom me\n>From you\n', 20);
    put('cur', 'a:2,S', 'Return-Path: <>\n\nbounce\n', 30);
    put('new', 'c', 'Subject: by hand\n\n\xff no end');
    expect(await run()).toEqual({ exit: 0, said: '' });
    expect(readFileSync(mbox, 'latin1')).toBe(
      'From old\n\nwas here\n\n' +
        'From MAILER-DAEMON Fri Nov 20 23:48:39 2026\nReturn-Path: <>\n\nbounce\n\n' +
        'From s-p@y Fri Nov 20 23:48:49 2026\nReturn-Path: <s p@y>\nDelivered-To: joe@h\n\n' +
        '>From me\n>>From you\n\n' +
        'From XXX Fri Nov 20 23:48:59 2026\nSubject: by hand\n\n\xff no end\n\n',
    );
    expect(statSync(mbox).mode & 0o777).toBe(0o640);
    expect([...readdirSync(`${maildir}/new`), ...readdirSync(`${maildir}/cur`)]).toEqual([]);
    expect(readdirSync(office.root).filter((name) => /lock|tmp/.test(name))).toEqual([]);
  });
  it('leaves letters of this second, and what is no letter, for the next time', async () => {
    put('new', 'fresh', 'x\n', 0);
    put('new', '.hidden', 'x\n');
    put('tmp', 'unfinished', 'x\n');
    expect(await run()).toEqual({ exit: 0, said: '' });
    expect(existsSync(mbox)).toBe(false);
    expect(readdirSync(`${maildir}/new`)).toHaveLength(2);
  });
  it('moves nothing when the mbox cannot be written', async () => {
    put('new', 'a', 'x\n');
    const MAILTMP = join(office.root, 'nowhere/tmp');
    expect(await run({ MAILTMP })).toEqual({
      exit: 111,
      said: `maildir2mbox: fatal: unable to create ${MAILTMP}: file does not exist\n`,
    });
    // Made to be locked, and empty still.
    expect([readFileSync(mbox, 'latin1'), readdirSync(`${maildir}/new`)]).toEqual(['', ['a']]);
  });
  it.each([
    [{ MAIL: '/nonexistent/mbox' }, 'unable to lock /nonexistent/mbox: file does not exist'],
    [{ MAILDIR: '/nonexistent' }, 'unable to chdir to /nonexistent: file does not exist'],
    [{ MAILDIR: '/' }, 'unable to scan $MAILDIR/new: file does not exist'],
  ])('says what there is not: %j', async (env, said) => {
    put('new', 'a', 'x\n');
    expect(await run(env)).toEqual({ exit: 111, said: `maildir2mbox: fatal: ${said}\n` });
  });
  it('leaves an mbox alone that another program has locked', async () => {
    put('new', 'a', 'x\n');
    writeFileSync(mbox, 'From old\n\n');
    kernelSays = 'busy';
    expect(await run()).toEqual({
      ...{ exit: 111, said: `maildir2mbox: fatal: unable to lock ${mbox}: timed out\n` },
    });
    expect(readFileSync(mbox, 'latin1')).toBe('From old\n\n');
    expect(existsSync(`${mbox}.lock`)).toBe(false);
    kernelSays = 'impossible';
    expect(await run()).toEqual({ exit: 0, said: '' });
    expect(readFileSync(mbox, 'latin1')).toContain('x\n');
  });
  it.each(['MAILDIR', 'MAIL', 'MAILTMP'])('wants %s', async (name) => {
    expect(await run({ [name]: undefined })).toEqual({
      ...{ exit: 111, said: `maildir2mbox: fatal: ${name} not set\n` },
    });
  });
});

describe('a mail reader that knows no Maildir', () => {
  const read = (reader: string, args: readonly string[], env = {}) =>
    office.call('elq', mailReader(reader, { clock, kernelLock: async () => 'locked' }), args, '', {
      ...{ MAILDIR: maildir, MAIL: mbox, MAILTMP: `${mbox}.tmp` },
      ...env,
    });
  it('is called once the letters are in its mbox, and has the last word', async () => {
    await make();
    put('new', 'a', 'Subject: moved\n\n');
    expect(await read('sh', ['-c', 'grep -q moved "$MAIL" && exit 7'])).toEqual({
      ...{ exit: 7, said: '' },
    });
  });
  it('is not called when they are not, and may not be there at all', async () => {
    expect(await read('true', [], { MAIL: undefined })).toEqual({
      ...{ exit: 111, said: 'maildir2mbox: fatal: MAIL not set\n' },
    });
    await make();
    expect(await read('/nonexistent/elm', [])).toEqual({
      ...{ exit: 127, said: 'unable to run /nonexistent/elm: file does not exist\n' },
    });
  });
});

describe('a letter’s gist', () => {
  it('is who it is from and for, and how it begins', () => {
    const head =
      'Return-Path: <s@y>\nDelivered-To: joe@h\nReceived: by x\n\tfor y\nFROM: Ann <ann@y>\n' +
      'Subject:  one\n two\n\nbody\nmore\n';
    expect(gistOf(head)).toEqual({
      ...{ sender: '<s@y>', recipient: 'joe@h', from: 'FROM: Ann <ann@y>' },
      text: 'one\n two\n\nbody\nmore\n',
    });
    expect(gistOf('\nonly a body\n')).toEqual({
      sender: '?',
      recipient: '?',
      from: '',
      text: '\nonly a body\n',
    });
    expect(gistOf('no field').text).toBe('\nno field\n');
  });
  it('is harmless for a terminal', () => {
    expect(forTerminal('a\x1b[2J\nb\x07\xff\tc', '/')).toBe('a/[2J/b///c');
    expect(forTerminal('12345', '_', 3)).toBe('123');
  });
});

describe('maildirwatch', () => {
  it('shows what is new each time it looks, and cleans up tmp', async () => {
    await make();
    put('tmp', 'abandoned', 'x', 37 * 3_600);
    put('tmp', 'under-way', 'x', 3_600);
    put('new', 'a', 'Return-Path: <s@y>\nDelivered-To: joe@h\nFrom: Ann\nSubject: hi\n\nhello\n');
    put('cur', 'read', 'Subject: old\n\n');
    const screens: string[] = [];
    async function* looks() {
      yield 1;
      put('new', 'b', `Subject: two\n\n${'x'.repeat(300)}\n`, 5);
      yield 2;
    }
    const watch = maildirwatch({ clock, print: (text) => screens.push(text), looks: looks() });
    expect(await office.call('maildirwatch', watch, [], '', { MAILDIR: maildir })).toEqual({
      ...{ exit: 0, said: '' },
    });
    const first = 'FROM <s@y> TO <joe@h>\n\x1b[1mFrom: Ann\x1b[0m\nhi//hello/\n\n';
    expect(screens).toEqual([
      `\x1b[;H\x1b[;J${first}`,
      `\x1b[;H\x1b[;J${first}FROM ? TO <?>\ntwo//${'x'.repeat(153)}\n\n`,
    ]);
    expect(readdirSync(`${maildir}/tmp`)).toEqual(['under-way']);
  });
  it('says what is amiss', async () => {
    async function* once() {
      yield 1;
    }
    const watch = () => maildirwatch({ clock, print: () => undefined, looks: once() });
    expect(await office.call('maildirwatch', watch(), [])).toEqual({
      ...{ exit: 111, said: 'maildirwatch: fatal: MAILDIR not set\n' },
    });
    const env = { MAILDIR: join(office.root, 'nowhere') };
    expect(await office.call('maildirwatch', watch(), [], '', env)).toEqual({
      exit: 111,
      said: `maildirwatch: fatal: unable to chdir to ${env.MAILDIR}: file does not exist\n`,
    });
  });
});

describe('qbiff', () => {
  const env = { USER: 'joe', SENDER: 's@y', LOCAL: 'joe-x' };
  const logins = [
    { user: 'joe', line: 'pts/0' },
    { user: 'ann', line: 'pts/1' },
    { user: 'joe', line: 'pts/2' },
    { user: 'joe', line: 'pts/3' },
    { user: 'joe', line: 'pts/4' },
  ];
  const ttys: Record<string, { uid: number; mode: number }> = {
    'pts/0': { uid: 7, mode: 0o720 },
    'pts/1': { uid: 7, mode: 0o720 },
    'pts/2': { uid: 7, mode: 0o620 },
    'pts/3': { uid: 8, mode: 0o720 },
  };
  const run = async (letter: string, more = {}) => {
    const heard: Record<string, string> = {};
    const terminals: Terminals = {
      logins: () => logins,
      look(line) {
        const found = ttys[line];
        if (found === undefined) throw new Error('gone');
        return found;
      },
      write: (line, text) => void (heard[line] = text),
    };
    const program = qbiff({ terminals, uid: 7 });
    const { exit, said } = await office.call('qbiff', program, [], letter, { ...env, ...more });
    expect([exit, said]).toEqual([0, '']);
    return heard;
  };
  it('tells a user on each terminal of his that wants to hear', async () => {
    expect(await run(`Subject: hi\nTo: me\n\nhello \x1b\n${'x'.repeat(100)}`)).toEqual({
      'pts/0': `\r\n\x07*** TO <joe-x> FROM <s@y>\r\n    hi//hello //${'x'.repeat(66)}\r\n`,
    });
  });
  it.each(['USER', 'SENDER', 'LOCAL'])('says nothing without %s', async (name) => {
    expect(await run('Subject: hi\n', { [name]: undefined })).toEqual({});
  });
  it('reads who is logged in from the records of utmp', () => {
    const record = (type: number, line: string, user: string): Buffer => {
      const bytes = Buffer.alloc(384);
      bytes.writeInt16LE(type, 0);
      bytes.write(line, 8);
      bytes.write(user, 44);
      return bytes;
    };
    const all = Buffer.concat([
      record(2, '~', 'reboot'),
      record(7, 'pts/0', 'joe'),
      record(7, '../etc/passwd', 'joe'),
      record(8, 'pts/1', 'joe'),
      record(7, 'tty1', 'a-name-of-thirty-two-characters!'),
      Buffer.alloc(10),
    ]);
    expect(parseUtmp(all, 384)).toEqual([
      { line: 'pts/0', user: 'joe' },
      { line: 'tty1', user: 'a-name-of-thirty-two-characters!' },
    ]);
  });
});
