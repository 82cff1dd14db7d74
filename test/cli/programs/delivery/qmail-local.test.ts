/** qmail-local on its own: arguments, exit codes, words, and the worked examples of dot-qmail. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { qmailLocal } from '../../../../src/cli/programs/delivery/qmail-local.ts';
import { systemClock as clock } from '../../../../src/platform/clock.ts';
import { systemProcesses } from '../../../../src/platform/system-processes.ts';
import { letterOffice, letterText, type LetterOffice } from './letter-file.ts';
import { dotQmailCases } from '../../../support/dot-qmail-cases.ts';

// Captured instead of inherited, so that a test can see what programs say.
const processes = systemProcesses({ clock });

let office: LetterOffice;
let home: string;
beforeEach(() => {
  office = letterOffice('qmail-local');
  home = join(office.root, 'home');
  mkdirSync(home, { mode: 0o700 });
});
afterEach(() => office.remove());

const put = (name: string, text: string, mode = 0o600): void => {
  writeFileSync(join(home, name), text);
  chmodSync(join(home, name), mode);
};
const read = (name: string): string => readFileSync(join(home, name), 'latin1');

type Address = { local?: string; dash?: string; ext?: string; domain?: string; sender?: string };

const call = (
  { local = 'joe', dash = '', ext = '', domain = 'h', sender = 's@y.z' }: Address = {},
  more: { options?: readonly string[]; letter?: string; empty?: string } = {},
) => {
  const { options = [], letter, empty = './Mailbox' } = more;
  const args = [...options, '--', 'joe', home, local, dash, ext, domain, sender, empty];
  const make = (stdin: number, print: (text: string) => void) =>
    qmailLocal({ stdin, print, processes });
  return office.onLetter(make, args, letter === undefined ? {} : { letter });
};

const usage =
  'qmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty\n';

const eight = ['joe', '/nonexistent', 'joe', '', '', 'h', 's@y.z', './Mailbox'];

describe('the command line', () => {
  it.each([
    [[]],
    [eight.slice(1)],
    [[...eight, 'ninth']],
    [['joe', 'relative', ...eight.slice(2)]],
  ])('%j is no use of it', async (args) => {
    const make = (stdin: number, print: (text: string) => void) =>
      qmailLocal({ stdin, print, processes });
    expect(await office.onLetter(make, args)).toEqual({ exit: 100, said: usage, printed: '' });
  });
});

describe('an option that there is not', () => {
  it('is named above the usage', async () => {
    const make = (stdin: number, print: (text: string) => void) =>
      qmailLocal({ stdin, print, processes });
    expect(await office.onLetter(make, ['-nx', ...eight])).toEqual({
      ...{ exit: 100, said: `qmail-local: illegal option -- x\n${usage}`, printed: '' },
    });
  });
});

describe('a home', () => {
  it.each([
    ['writable by others', 0o702, 'Uh-oh: home directory is writable. (#4.7.0)\n'],
    ['sticky', 0o1700, 'Home directory is sticky: user is editing his .qmail file. (#4.2.1)\n'],
  ])('that is %s defers', async (_what, mode, said) => {
    chmodSync(home, mode);
    expect(await call()).toEqual({ exit: 111, said, printed: '' });
  });
  it('that is not there defers', async () => {
    home = join(office.root, 'nowhere');
    expect(await call()).toMatchObject({
      exit: 111,
      said: `Unable to switch to ${home}: file does not exist. (#4.3.0)\n`,
    });
  });
  it('that is sticky is worth a warning when nothing is delivered', async () => {
    chmodSync(home, 0o1700);
    expect(await call({}, { options: ['-n'] })).toEqual({
      exit: 0,
      said: 'Warning: home directory is sticky.\n',
      printed: 'mbox ./Mailbox\ndid 1+0+0\n',
    });
  });
});

describe('an mbox', () => {
  it('gets a letter quoted and completed', async () => {
    put('.qmail', './Mailbox\n');
    const letter = 'A: b\n\nFrom me\n>From you\npartial';
    const ran = await call({ sender: 's p\tx@y' }, { letter });
    expect(ran).toEqual({ exit: 0, said: '', printed: 'did 1+0+0\n' });
    expect(read('Mailbox')).toMatch(
      /^From s-p-x@y \w{3} \w{3} \d\d [\d:]{8} \d{4}\nReturn-Path: <"s p\tx"@y>\nDelivered-To: joe@h\nA: b\n\n>From me\n>>From you\npartial\n\n$/,
    );
  });
});

describe('a Maildir', () => {
  it('gets a letter as it is, and must be there', async () => {
    put('.qmail', './Maildir/\n');
    expect(await call()).toMatchObject({
      exit: 111,
      said: 'Unable to chdir to maildir. (#4.2.1)\n',
    });
    for (const name of ['', '/tmp', '/new', '/cur']) mkdirSync(`${home}/Maildir${name}`);
    expect(await call({}, { letter: 'A: b\n\npartial' })).toMatchObject({
      exit: 0,
      printed: 'did 1+0+0\n',
    });
    const [name] = readdirSync(`${home}/Maildir/new`);
    expect(read(`Maildir/new/${name}`)).toBe(
      'Return-Path: <s@y.z>\nDelivered-To: joe@h\nA: b\n\npartial',
    );
    expect(readdirSync(`${home}/Maildir/tmp`)).toEqual([]);
  });
});

/** spec: qmail-local §3.3 */
describe('a program line', () => {
  it.each([
    ...[0, 99].map((code) => [code, 0] as const),
    ...[100, 64, 65, 70, 76, 77, 78, 112].map((code) => [code, 100] as const),
    ...[111, 1, 71, 74, 75, 126, 127, 255].map((code) => [code, 111] as const),
  ])('that exits %i makes it exit %i', async (code, exit) => {
    put('.qmail', `|exit ${code}\n`);
    expect((await call()).exit).toBe(exit);
  });
  it('that crashes defers', async () => {
    put('.qmail', '|kill -KILL $$\n');
    expect(await call()).toMatchObject({ exit: 111, said: 'Aack, child crashed. (#4.3.0)\n' });
  });
  it('gets the letter from its start each time, without lines in front', async () => {
    put('.qmail', '|head -1\n|head -2\n');
    expect((await call()).printed).toBe('Subject: hello\nSubject: hello\n\ndid 0+0+2\n');
  });
  it.each([
    ['$USER $HOME', 'joe', 'HOME'],
    ['$LOCAL@$HOST $RECIPIENT', 'joe-a-b-c@h.x.y.z', 'joe-a-b-c@h.x.y.z'],
    ['$SENDER $NEWSENDER', 's@q.r', 's@q.r'],
    ['$EXT,$EXT2,$EXT3,$EXT4 .', 'a-b-c,b-c,c,', '.'],
    ['$HOST2,$HOST3,$HOST4 .', 'h.x.y,h.x,h', '.'],
    ['$DTLINE', 'Delivered-To:', 'joe-a-b-c@h.x.y.z'],
    ['$RPLINE', 'Return-Path:', '<s@q.r>'],
  ])('knows %s', async (words, ...values) => {
    put('.qmail-a-b-c', `|echo ${words}\n`);
    const address = {
      local: 'joe-a-b-c',
      dash: '-',
      ext: 'a-b-c',
      domain: 'h.x.y.z',
      sender: 's@q.r',
    };
    const wanted = values.join(' ').replace('HOME', home);
    expect((await call(address)).printed).toBe(`${wanted}\ndid 0+0+1\n`);
  });
});

/** spec: qmail-local §2 */
describe('the file', () => {
  it.each(dotQmailCases)(
    'for dash %j and extension %j is the first of %j',
    async (dash, ext, names) => {
      const address = { local: `joe${dash}${ext}`, dash, ext };
      // The last one alone, then with the one before it, …
      for (const name of [...names].reverse()) {
        put(name, `|echo ${name}\n`);
        expect((await call(address)).printed).toBe(`${name}\ndid 0+0+1\n`);
      }
    },
  );
  it('is not one of a more general name than the first dash', async () => {
    put('.qmail-a-b-c-default', '|true\n');
    expect(await call({ dash: '-', ext: 'a-b-c' })).toEqual({
      ...{ exit: 100, said: 'Sorry, no mailbox here by that name. (#5.1.1)\n', printed: '' },
    });
  });
  it.each([
    ['a-b-c', '.qmail-a-default', 'b-c'],
    ['A.B', '.qmail-default', 'A.B'],
    ['A-', '.qmail-a-default', ''],
    ['A-DEFAULT', '.qmail-a-default', 'DEFAULT'],
  ])('for %s, being %s, makes DEFAULT %j', async (ext, name, rest) => {
    put(name, '|echo "${DEFAULT-unset}"\n');
    expect((await call({ dash: '-', ext })).printed).toBe(`${rest}\ndid 0+0+1\n`);
  });
  it.each([
    [
      'begins with a blank line',
      '\n./mb\n',
      0o600,
      'Uh-oh: first line of .qmail file is blank. (#4.2.1)\n',
    ],
    ['is writable by others', './mb\n', 0o602, 'Uh-oh: .qmail file is writable. (#4.7.0)\n'],
    [
      'is executable and delivers to a file',
      './mb\n',
      0o700,
      'Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n',
    ],
    [
      'is executable and runs a program',
      '|true\n',
      0o700,
      'Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n',
    ],
  ])('that %s defers', async (_what, text, mode, said) => {
    put('.qmail', text, mode);
    expect(await call()).toEqual({ exit: 111, said, printed: '' });
    expect((await call({}, { options: ['-n'] })).said).toBe(said);
  });
});

/** spec: qmail-local §9, and §3.7 for what `-n` says of the same. */
describe('the worked examples', () => {
  type Example = {
    readonly file: string;
    readonly mode?: number;
    readonly exit: number;
    readonly printed?: string;
    readonly said?: string;
    readonly to?: string;
    readonly mb?: boolean;
    readonly dry: string;
  };
  const examples: readonly Example[] = [
    {
      file: '&pre@x\n|exit 99\n&post@x\n./mb\n',
      ...{ exit: 0, printed: 'did 0+1+1\nqp N\n', to: 'Tpre@x\0', mb: false },
      dry: 'forward pre@x\nprogram exit 99\nforward post@x\nmbox ./mb\ndid 1+2+1\n',
    },
    {
      file: '&pre@x\n|exit 1\n./mb\n',
      ...{ exit: 111, printed: '', mb: false },
      dry: 'forward pre@x\nprogram exit 1\nmbox ./mb\ndid 1+1+1\n',
    },
    {
      file: './mb\n|exit 100\n',
      ...{ exit: 100, printed: '', mb: true },
      dry: 'mbox ./mb\nprogram exit 100\ndid 1+0+1\n',
    },
    {
      file: './mb\n|exit 111\n',
      ...{ exit: 111, printed: '', mb: true },
      dry: 'mbox ./mb\nprogram exit 111\ndid 1+0+1\n',
    },
    {
      file: '# c\n\n./mb  \t\n|echo hi \n&a b \n& c@d\n',
      ...{ exit: 0, printed: 'hi\ndid 1+2+1\nqp N\n', to: 'Ta b\0T c@d\0', mb: true },
      dry: 'mbox ./mb\nprogram echo hi\nforward a b\nforward  c@d\ndid 1+2+1\n',
    },
    {
      file: './mb',
      ...{ exit: 0, printed: 'did 1+0+0\n', mb: true },
      dry: 'mbox ./mb\ndid 1+0+0\n',
    },
    {
      file: '+list\n&a@b\n./mb\n',
      ...{ exit: 111, printed: '', mb: false },
      said: 'Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n',
      dry: 'forward a@b\n',
    },
    {
      ...{ file: '', mode: 0o755, exit: 0, printed: 'did 1+0+0\n', mb: true },
      dry: 'mbox ./mb\ndid 1+0+0\n',
    },
    { file: '# only\n', ...{ exit: 0, printed: 'did 0+0+0\n', mb: false }, dry: 'did 0+0+0\n' },
  ];
  it.each(examples)('$file', async ({ file, mode, exit, printed, said = '', to, mb, dry }) => {
    put('.qmail', file, mode);
    const tried = await call({}, { options: ['-n'], empty: './mb' });
    expect([tried.printed, existsSync(`${home}/mb`)]).toEqual([dry, false]);
    expect(await call({}, { empty: './mb' })).toEqual({ exit, said, printed });
    expect(existsSync(`${home}/mb`)).toBe(mb);
    expect(office.kept()?.envelope).toBe(to === undefined ? undefined : `Fs@y.z\0${to}\0`);
  });
});

describe('forwards', () => {
  it('go out as one letter, Delivered-To in front', async () => {
    put('.qmail', 'a@b\n&c@d\n');
    expect((await call()).printed).toBe('did 0+2+0\nqp N\n');
    expect(office.kept()).toEqual({
      envelope: 'Fs@y.z\0Ta@b\0Tc@d\0\0',
      message: `Delivered-To: joe@h\n${letterText}`,
    });
  });
  it.each([
    [53, 111, 'qq write error or disk full (#4.3.0)'],
    [31, 100, 'mail server permanently rejected message (#5.3.0)'],
  ])('that the queue refuses (%i) end it with %i', async (queueExit, exit, text) => {
    office.queueSays(queueExit);
    put('.qmail', 'a@b\n');
    expect(await call()).toEqual({
      exit,
      said: `Unable to forward message: ${text}.\n`,
      printed: '',
    });
  });
  /** spec: qmail-local §5 */
  it.each([
    ['', ['-owner'], ''],
    ['#@[]', ['-owner'], '#@[]'],
    ['s@y.z', [], 's@y.z'],
    ['s@y.z', ['-owner'], 'joe-list-owner@h'],
    ['s@y.z', ['-owner', '-owner-default'], 'joe-list-owner-@h-@[]'],
    ['s@y.z', ['-owner-default'], 's@y.z'],
  ])(
    'of a letter from %j, with %j beside the list, come from %j',
    async (sender, files, wanted) => {
      put('.qmail-list', 'a@b\n');
      for (const name of files) put(`.qmail-list${name}`, '');
      await call({ local: 'joe-list', dash: '-', ext: 'list', sender });
      expect(office.kept()?.envelope).toBe(`F${wanted}\0Ta@b\0\0`);
    },
  );
});

/** spec: qmail-local §6 */
describe('a letter that has been here', () => {
  it.each([
    ['in its header', 'A: b\nDelivered-To: joe@h\n\nx\n', 100],
    ['in its body only', 'A: b\n\nDelivered-To: joe@h\n', 0],
    ['in another case', 'A: b\ndelivered-to: joe@h\n\n', 0],
    ['at another host', 'A: b\nDelivered-To: joe@H\n\n', 0],
  ])('%s', async (_where, letter, exit) => {
    put('.qmail', '# nothing\n');
    const ran = await call({}, { letter });
    expect(ran.exit).toBe(exit);
    if (exit === 100) {
      expect(ran.said).toBe(
        'This message is looping: it already has my Delivered-To line. (#5.4.6)\n',
      );
    }
  });
});
