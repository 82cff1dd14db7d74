/** The programs that send: arguments, exit codes, complaints, and what reaches the queue. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forward } from '../../../src/cli/programs/lib/forward.ts';
import { inject } from '../../../src/cli/programs/lib/inject.ts';
import { formatLocalDate } from '../../../src/cli/programs/lib/local-date.ts';
import { mailsubj } from '../../../src/cli/programs/lib/mailsubj.ts';
import { predate } from '../../../src/cli/programs/lib/predate.ts';
import { qreceipt } from '../../../src/cli/programs/lib/qreceipt.ts';
import { sendmail } from '../../../src/cli/programs/lib/sendmail.ts';
import { makeOffice, type Office } from './call.ts';

let office: Office;
beforeEach(() => {
  office = makeOffice();
});
afterEach(() => office.remove());

const envelopeOf = (office_: Office) => office_.kept()?.envelope;

describe('qmail-inject', () => {
  const call = (args: readonly string[], input = '', env = {}) =>
    office.call('qmail-inject', inject, args, input, env);

  it.each([
    [['-a', 'x@y.z'], 'x@y.z'],
    [['-a'], ''],
    [['-h', 'x@y.z'], 'h@y.z'],
    [['-A', 'x@y.z'], 'x@y.z'],
    [['-A'], 'h@y.z'],
    [[], 'h@y.z'],
    [['-H', 'x@y.z', 'q@y.z'], 'x@y.z q@y.z h@y.z'],
    [['-aH', 'x@y.z'], 'x@y.z h@y.z'],
    [['-H', '-a', 'x@y.z'], 'x@y.z'],
    [['--', '-x@y.z'], '-x@y.z'],
  ])('%j sends to %j', async (args, recipients) => {
    expect(await call(args, 'To: h@y.z\n\n')).toEqual({ exit: 0, said: '' });
    const records = recipients
      .split(' ')
      .filter(Boolean)
      .map((each) => `T${each}\0`);
    expect(envelopeOf(office)).toBe(`Fjoe@dh.dd.example\0${records.join('')}\0`);
  });
  it('has a sender of its own with -f, in the same word or the next, even an empty one', async () => {
    await call(['-fs@t.u'], 'To: h@y.z\n');
    expect(envelopeOf(office)).toMatch(/^Fs@t.u\0/);
    await call(['-f', ''], 'To: h@y.z\nReturn-Path: x@y.z\n');
    expect(envelopeOf(office)).toMatch(/^F\0/);
  });
  it('passes the body on byte for byte, its last line completed', async () => {
    const body = `\n\0\xff\r\n.\nFrom x\n${'y'.repeat(200_000)}`;
    await call([], `To: h@y.z\n${body}`);
    expect(office.kept()?.message.endsWith(`To: h@y.z\n${body}\n`)).toBe(true);
  });
  it('takes names and users of the environment as the bytes they are', async () => {
    await call([], 'To: h@y.z\n', { NAME: 'Jörg' });
    expect(office.kept()?.message).toContain('From: "J\xc3\xb6rg" <joe@dh.dd.example>\n');
  });
  it.each([
    [['-x'], '', 'qmail-inject: illegal option -- x\n'],
    [['-f'], '', 'qmail-inject: option requires an argument -- f\n'],
    [['a@('], '', 'qmail-inject: fatal: unable to parse address: a@(\n'],
    [[], 'From: "x\n', 'qmail-inject: fatal: unable to parse this line:\nFrom: "x\n'],
    // To its last blank, and the bytes it has.
    [[], 'From: "x \n', 'qmail-inject: fatal: unable to parse this line:\nFrom: "x \n'],
    [
      [],
      'From: "\xc3\xb6\n y\n',
      'qmail-inject: fatal: unable to parse this line:\nFrom: "ö\n y\n',
    ],
  ])('exits 100 for %j', async (args, input, said) => {
    expect(await call(args, input)).toEqual({ exit: 100, said });
    expect(office.kept()).toBeUndefined();
  });
  it('tells of a recipient field that it could not read to its end', async () => {
    const { exit, said } = await call([], 'To: x: a@b.c, c@d.e\n');
    expect([exit, envelopeOf(office)]).toEqual([0, 'Fjoe@dh.dd.example\0Tc@d.e\0Ta@b.c\0\0']);
    expect(said).toContain('warning: unable to parse this line:\nTo: x: a@b.c, c@d.e\n');
    expect((await call(['-a', 'x@y.z'], 'To: x: a@b.c\n')).said).toBe('');
  });
  it.each([
    [0, '', 0, ''],
    [31, '', 100, 'mail server permanently rejected message (#5.3.0)'],
    [53, '', 111, 'qq write error or disk full (#4.3.0)'],
    [82, 'Dnot here (#5.7.1)', 100, 'not here (#5.7.1)'],
    [82, 'Znot now (#4.7.1)', 111, 'not now (#4.7.1)'],
    [82, 'x', 111, 'qq temporary problem (#4.3.0)'],
  ])('says what the queue program means by %i %s', async (queueExit, words, exit, text) => {
    office.queueSays(queueExit, words);
    const said = text === '' ? '' : `qmail-inject: fatal: ${text}\n`;
    expect(await call([], 'To: h@y.z\n')).toEqual({ exit, said });
  });
  it('says that a queue program cannot be run, or crashed', async () => {
    const QMAILQUEUE = join(office.root, 'missing');
    expect(await call([], 'To: h@y.z\n', { QMAILQUEUE })).toEqual({
      exit: 111,
      said: expect.stringContaining('fatal: unable to exec qq (#4.3.0)'),
    });
    writeFileSync(join(office.root, 'queue'), '#!/bin/sh\nkill -SEGV $$\n');
    expect(await call([], 'To: h@y.z\n')).toMatchObject({
      exit: 111,
      said: expect.stringContaining('qq crashed'),
    });
  });
  it('completes a letter for a mailing list of QMAILMFTFILE', async () => {
    writeFileSync(join(office.root, 'lists'), '# mine\nLIST@x.y\n');
    const env = { QMAILMFTFILE: join(office.root, 'lists') };
    await call([], 'To: list@x.y\n', env);
    expect(office.kept()?.message).toContain('Mail-Followup-To: list@x.y\n');
    await call([], 'To: list@x.y\n', { QMAILMFTFILE: join(office.root, 'nothing') });
    expect(office.kept()?.message).not.toContain('Mail-Followup-To');
  });
  it('keeps nothing of a letter whose bytes stop coming', async () => {
    const { runProgram } = await import('../../../src/cli/programs/lib/program.ts');
    let said = '';
    const exit = await runProgram('qmail-inject', inject, {
      args: ['x@y.z'],
      env: office.env,
      async *input() {
        yield Buffer.from('To: a@b.c\n');
        throw new Error('EIO');
      },
      say: (text) => (said += text),
    });
    expect([exit, said]).toEqual([111, 'qmail-inject: fatal: read error\n']);
    expect(office.kept()).toBeUndefined();
  });
});

describe('sendmail', () => {
  const call = (args: readonly string[], input = '', env = {}) =>
    office.call('sendmail', (it) => sendmail(it), args, input, env);
  const letter = 'To: h@y.z\n\nbody\n.\nmore\n';

  it.each([
    [['-t'], 'h@y.z'],
    [['-t', 'x@y.z'], 'x@y.z h@y.z'],
    [['x@y.z'], 'x@y.z'],
    [[], ''],
    [
      [
        '-bm',
        '-oi',
        '-o',
        'em',
        '-i',
        '-v',
        '-m',
        '-x',
        '-em',
        '-B8BITMIME',
        '-B',
        '7BIT',
        '-p',
        'x',
        'x@y.z',
      ],
      'x@y.z',
    ],
    [['-Eany', '-Jthing', '-ti'], 'h@y.z'],
    [['-t', '--', '-x@y.z'], '-x@y.z h@y.z'],
    [['a@x.y, b@x.y'], 'a@x.y, b@x.y'],
  ])('%j sends to %j', async (args, recipients) => {
    expect(await call(args, letter)).toEqual({ exit: 0, said: '' });
    const list = args.includes('a@x.y, b@x.y')
      ? [recipients]
      : recipients.split(' ').filter(Boolean);
    expect(envelopeOf(office)).toBe(
      `Fjoe@dh.dd.example\0${list.map((each) => `T${each}\0`).join('')}\0`,
    );
    expect(office.kept()?.message.endsWith(letter)).toBe(true);
  });
  it('-f is sender and author, without a full name, even one of -F', async () => {
    await call(['-F', 'Full', '-f', 'bob@b.c', 'r@s.t'], 'Subject: x\n', {
      NAME: 'Joe',
      MAILHOST: 'm.h',
    });
    expect(envelopeOf(office)).toMatch(/^Fbob@b\.c\0/);
    expect(office.kept()?.message).toContain('From: bob@b.c\n');
    await call(['-fbob', 'r@s.t'], 'Subject: x\n', { MAILHOST: 'm.h' });
    expect(envelopeOf(office)).toMatch(/^Fbob@dh\.dd\.example\0/);
  });
  it('-F alone is the full name', async () => {
    await call(['-FFull Name', 'r@s.t'], 'Subject: x\n', { NAME: 'Joe' });
    expect(office.kept()?.message).toContain('From: "Full Name" <joe@dh.dd.example>\n');
  });
  const usage =
    'sendmail: usage: sendmail [ -t ] [ -fsender ] [ -Fname ] [ -bp ] [ -bs ] [ arg ... ]\n';
  it.each(['q', 'N', 'R', 'V', 'C', 'd', 'r', 'h', 'n', 'O', 'U', 'X', 'G', 'M', 's'])(
    'does not know -%s',
    async (option) => {
      expect(await call([`-${option}`])).toEqual({
        exit: 100,
        said: `sendmail: illegal option -- ${option}\n${usage}`,
      });
    },
  );
  it.each(['-bd', '-bi', '-bt', '-bv', '-bD'])('does not do %s', async (option) => {
    expect(await call([option])).toEqual({ exit: 100, said: usage });
  });
  it('under the name newaliases refers to another', async () => {
    const { exit, said } = await office.call('sendmail', (it) => sendmail(it, 'newaliases'), []);
    expect([exit, said]).toEqual([
      100,
      'sendmail: fatal: please use fastforward/newaliases instead\n',
    ]);
  });
  it('exits and speaks as qmail-inject does when the queue says no', async () => {
    office.queueSays(31);
    expect(await call(['x@y.z'], letter)).toEqual({
      exit: 100,
      said: 'qmail-inject: fatal: mail server permanently rejected message (#5.3.0)\n',
    });
  });
});

describe('forward', () => {
  const env = { NEWSENDER: 'n@s.t', DTLINE: 'Delivered-To: a@b.c\n' };
  it('sends the letter on as it is, under a line that stops loops', async () => {
    const { exit, said } = await office.call(
      'forward',
      forward,
      ['x', 'y@z'],
      'no header\n\0\xff',
      env,
    );
    expect([exit, said.replace(/\d+/, 'N')]).toEqual([0, 'forward: qp N\n']);
    expect(office.kept()).toEqual({
      message: 'Delivered-To: a@b.c\nno header\n\0\xff',
      envelope: 'Fn@s.t\0Tx\0Ty@z\0\0',
    });
  });
  it.each(['NEWSENDER', 'DTLINE'])('exits 100 without %s', async (name) => {
    const outcome = await office.call('forward', forward, ['x@y.z'], '', {
      ...env,
      [name]: undefined,
    });
    expect(outcome).toEqual({ exit: 100, said: `forward: fatal: ${name} not set\n` });
  });
  it.each([
    [31, 100],
    [71, 111],
  ])('exits by what the queue says: %i gives %i', async (queueExit, exit) => {
    office.queueSays(queueExit);
    expect(await office.call('forward', forward, ['x@y.z'], 'a\n', env)).toMatchObject({ exit });
  });
});

describe('mailsubj', () => {
  it('makes a letter of its arguments', async () => {
    await office.call('mailsubj', mailsubj, ['a subject', 'x@y.z', 'q'], 'body\n');
    const { message, envelope } = office.kept()!;
    expect(message).toMatch(/\nSubject: a subject\nTo: x@y\.z, q@dh\.dd\.example\n\nbody\n$/);
    expect(envelope).toBe('Fjoe@dh.dd.example\0Tq@dh.dd.example\0Tx@y.z\0\0');
  });
  it('wants a subject', async () => {
    expect(await office.call('mailsubj', mailsubj, [])).toMatchObject({ exit: 100 });
  });
});

describe('qreceipt', () => {
  const call = (input: string, env = {}, args = ['me@x.y']) =>
    office.call('qreceipt', qreceipt, args, input, { SENDER: 'a b@v.t', ...env });
  const asking = 'Message-Id: <1@x>\nNotice-Requested-Upon-Delivery-To: you@x.y, Me <me@x.y>\n\n';
  it('answers who asks for it', async () => {
    expect(await call(asking)).toEqual({ exit: 0, said: '' });
    expect(office.kept()).toEqual({
      envelope: 'F\0Ta b@v.t\0\0',
      message:
        'From: DELIVERY NOTICE SYSTEM <"a b"@v.t>\nTo: <"a b"@v.t>\nSubject: success notice\n\n' +
        'Hi! This is the qreceipt program. Your message was delivered to the\n' +
        'following address: me@x.y. Thanks for asking.\nYour Message-Id: <1@x>\n',
    });
  });
  it.each([
    ['nobody asks', 'Subject: x\n\n', {}],
    ['another is meant', 'Notice-Requested-Upon-Delivery-To: you@x.y\n\n', {}],
    ['the case differs', 'Notice-Requested-Upon-Delivery-To: ME@x.y\n\n', {}],
    ['the question is in the body', `\n${asking}`, {}],
    ['it is a bounce', asking, { SENDER: '' }],
    ['it is a double bounce', asking, { SENDER: '#@[]' }],
  ])('says nothing when %s', async (_why, input, env) => {
    expect(await call(input, env)).toEqual({ exit: 0, said: '' });
    expect(office.kept()).toBeUndefined();
  });
  it('exits 100 for a field that cannot be read, without SENDER, and without an address', async () => {
    const field = 'Notice-Requested-Upon-Delivery-To: "x';
    const said = `qreceipt: fatal: unable to parse this: ${field}\n`;
    expect(await call(`${field}\n\n`)).toEqual({ exit: 100, said });
    // Of a bounce, too, and when another field has asked already.
    expect(await call(`${field}\n\n`, { SENDER: '' })).toEqual({ exit: 100, said });
    expect(await call(`${field}\n${asking}`)).toEqual({ exit: 100, said });
    const usage = 'qreceipt: usage: qreceipt deliveryaddress\n';
    expect(await call(asking, { SENDER: undefined })).toEqual({ exit: 100, said: usage });
    expect(await call(asking, {}, [])).toEqual({ exit: 100, said: usage });
  });
  it.each([
    [53, 111, 'temporary'],
    [31, 100, 'permanent'],
  ])('exits as the queue does not take the notice: %i means %i', async (queue, exit, kind) => {
    office.queueSays(queue);
    const said = `qreceipt: fatal: ${kind} qmail-queue error\n`;
    expect(await call(asking)).toEqual({ exit, said });
  });
  it('names the last of several letters that it might be', async () => {
    await call(`Message-Id: <0@x>\n${asking.replace('<1@x>', '<2@x>\n y')}`);
    expect(office.kept()?.message).toContain('\nYour Message-Id: <2@x>\n y\n');
  });
});

describe('predate', () => {
  const script = (text: string) => {
    const path = join(office.root, 'child');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  it('runs a program on the letter with the local date in front, and exits as it does', async () => {
    const child = script(`cat > '${office.root}/read'\necho "$1" >> '${office.root}/read'\nexit 7`);
    expect(await office.call('predate', predate, [child, 'arg'], 'To: x\n')).toEqual({
      exit: 7,
      said: '',
    });
    expect(readFileSync(join(office.root, 'read'), 'utf8')).toMatch(
      /^Date: \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\nTo: x\narg\n$/,
    );
  });
  it('does not mind a program that reads nothing', async () => {
    expect(
      await office.call('predate', predate, [script('exit 3')], 'x'.repeat(1_000_000)),
    ).toMatchObject({ exit: 3 });
  });
  it.each<[string, string[], number, string]>([
    ['exits 100 without a program', [], 100, 'usage: predate child'],
    [
      'exits 111 for one that cannot be run',
      ['/nonexistent/program'],
      111,
      'fatal: unable to run /nonexistent/program: file does not exist',
    ],
    ['exits 111 for one without a name', [''], 111, 'fatal: unable to run : file does not exist'],
  ])('%s', async (_name, args, exit, said) => {
    expect(await office.call('predate', predate, args)).toEqual({
      ...{ exit, said: `predate: ${said}\n` },
    });
  });
  it('exits 111 for one that crashes', async () => {
    expect(await office.call('predate', predate, [script('kill -SEGV $$')], 'x')).toMatchObject({
      exit: 111,
    });
  });
  it.each([
    [60, '21 Nov 2026 00:48:01 +0100'],
    [-210, '20 Nov 2026 20:18:01 -0330'],
    [0, '20 Nov 2026 23:48:01 +0000'],
    [345, '21 Nov 2026 05:33:01 +0545'],
  ])('writes the date of a zone %i minutes ahead', (offset, date) => {
    expect(formatLocalDate(Date.UTC(2026, 10, 20, 23, 48, 1), offset)).toBe(date);
  });
});
