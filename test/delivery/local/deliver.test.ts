import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ownIdentity } from '../../../src/delivery/local/identity.ts';
import { systemFiles, type FileCalls } from '../../../src/delivery/local/file-calls.ts';
import { bodyOf, brokenBody, Home, plainLetter, post } from './story.ts';

let home: Home;
beforeEach(() => {
  home = new Home().maildir();
});
afterEach(() => home.remove());

const noMailbox = 'DSorry, no mailbox here by that name. (#5.1.1)\n';

describe('the search for a dot-qmail file', () => {
  it('needs none for the bare user', async () => {
    expect((await post(home)).said).toBe('Kdid 1+0+0\n');
  });

  it('fails for an extension nobody has', async () => {
    const { said, outcome } = await post(home, { local: 'joe-x' });
    expect(said).toBe(noMailbox);
    expect(outcome.reply.status).toBe('5.1.1');
  });

  it('takes the first name that is a file', async () => {
    mkdirSync(join(home.path, '.qmail-a-b'));
    home.write('.qmail-a-default', '|echo $DEFAULT of $EXT\n').write('.qmail-default', '|exit 1\n');
    expect((await post(home, { local: 'joe-a-b' })).said).toBe('Kb of a-b\ndid 0+0+1\n');
  });

  it('finds names in lower case with colons for dots', async () => {
    home.write('.qmail-a:b', '# here\n');
    expect((await post(home, { local: 'joe-A.B' })).said).toBe('Kdid 0+0+0\n');
  });

  it('does not climb out of the home', async () => {
    home.write('secret', '# here\n');
    mkdirSync(join(home.path, '.qmail-'));
    expect((await post(home, { local: 'joe-/../secret' })).said).toBe(noMailbox);
  });

  it('stops at a file that others may write', async () => {
    home.write('.qmail-a', '# a\n', 0o606).write('.qmail-default', '# b\n');
    expect((await post(home, { local: 'joe-a' })).said).toBe(
      'ZUh-oh: .qmail file is writable. (#4.7.0)\n',
    );
  });

  it('stops at a file that nobody can mean, which would be read while all other mail waits', async () => {
    home.write('.qmail-a', '# a\n');
    truncateSync(join(home.path, '.qmail-a'), 2 ** 30);
    expect((await post(home, { local: 'joe-a' })).said).toBe(
      'ZUh-oh: .qmail file is too large. (#4.3.0)\n',
    );
  });

  // Of no size and without an end: hundreds of gigabytes about a process's memory, the user's own.
  const endless = '/proc/self/pagemap';
  const itOnLinux = existsSync(endless) ? it : it.skip;
  itOnLinux('stops at a file that has no end (skipped without /proc/self/pagemap)', async () => {
    symlinkSync(endless, join(home.path, '.qmail-a'));
    expect((await post(home, { local: 'joe-a' })).said).toBe(
      'ZUh-oh: .qmail file is too large. (#4.3.0)\n',
    );
  });

  it('takes a file that its group may write', async () => {
    home.write('.qmail-a', '# a\n', 0o660);
    expect((await post(home, { local: 'joe-a' })).said).toBe('Kdid 0+0+0\n');
  });

  it.each([
    ['EACCES', 'ZUnable to open .qmail-a: access denied. (#4.3.0)\n'],
    ['EIO', 'ZUnable to open .qmail-a: input/output error. (#4.3.0)\n'],
    ['ELOOP', 'Kdid 0+0+0\n'],
  ])('that meets %s says %p', async (code, expected) => {
    home.write('.qmail-default', '# b\n').write('.qmail-a', '# a\n');
    const openSync = ((...args: Parameters<FileCalls['openSync']>) => {
      if (String(args[0]).endsWith('.qmail-a')) throw Object.assign(new Error(), { code });
      return systemFiles.openSync(...args);
    }) as FileCalls['openSync'];
    const files = { ...systemFiles, openSync };
    expect((await post(home, { local: 'joe-a', parts: { files } })).said).toBe(expected);
  });

  it('obeys the x bit', async () => {
    home.write('.qmail', '&a@b\n|echo no\n', 0o700);
    expect((await post(home)).said).toBe(
      'ZUh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n',
    );
  });

  it('defers by an empty default delivery', async () => {
    expect((await post(home, { defaultDelivery: '' })).said).toBe(
      'ZUh-oh: first line of .qmail file is blank. (#4.2.1)\n',
    );
  });
});

describe('a home', () => {
  it.each([
    [0o702, 'ZUh-oh: home directory is writable. (#4.7.0)\n'],
    [0o1700, 'ZHome directory is sticky: user is editing his .qmail file. (#4.2.1)\n'],
    [0o1702, 'ZUh-oh: home directory is writable. (#4.7.0)\n'],
    [0o720, 'Kdid 1+0+0\n'],
  ])('of mode %o gives %p', async (mode, expected) => {
    chmodSync(home.path, mode);
    expect((await post(home)).said).toBe(expected);
  });

  it('that is missing or no directory defers, and is not made', async () => {
    const owner = { home: '/nonexist' };
    expect((await post(home, { owner })).said).toBe(
      'ZUnable to switch to /nonexist: file does not exist. (#4.3.0)\n',
    );
    home.write('file', '');
    const file = join(home.path, 'file');
    expect((await post(home, { owner: { home: file } })).said).toBe(
      `ZUnable to switch to ${file}: not a directory. (#4.3.0)\n`,
    );
  });

  it('in the data directory is made with its Maildir for the first letter', async () => {
    const path = join(home.root, 'homes/new');
    const owner = { home: path, managed: true as const };
    expect((await post(home, { owner })).said).toBe('Kdid 1+0+0\n');
    expect(systemFiles.statSync(path).mode & 0o777).toBe(0o700);
    home.write('.qmail', '');
    expect((await post(home, { owner, defaultDelivery: './a/../../evil/' })).said).toBe(
      'ZUnable to chdir to maildir. (#4.2.1)\n',
    );
    expect(existsSync(join(home.root, 'homes/evil'))).toBe(false);
  });

  it('of its own never gets a Maildir made', async () => {
    rmSync(join(home.path, 'Maildir'), { recursive: true });
    expect((await post(home)).said).toBe('ZUnable to chdir to maildir. (#4.2.1)\n');
  });

  it('of root gets no mail, whether root is the owner or the engine', async () => {
    const refused = 'ZNot allowed to perform deliveries as root.\n';
    expect((await post(home, { owner: { uid: 0, gid: 0 } })).said).toBe(refused);
    const identity = ownIdentity({ uid: 0, gid: 0 });
    expect((await post(home, { parts: { identity } })).said).toBe(refused);
  });
});

describe('a loop', () => {
  const looping = 'DThis message is looping: it already has my Delivered-To line. (#5.4.6)\n';

  it('ends with the second delivery', async () => {
    const body = bodyOf('Delivered-To: joe@demo.test\r\n\r\n');
    expect((await post(home, { body })).said).toBe(looping);
  });

  it('is looked for before the file, after the home', async () => {
    const body = bodyOf('Delivered-To: joe-x@demo.test\r\n\r\n');
    expect((await post(home, { body, local: 'joe-x' })).said).toBe(looping);
    chmodSync(home.path, 0o702);
    expect((await post(home, { body, local: 'joe-x' })).said).toContain('home directory');
  });
});

describe('a forward', () => {
  it('carries our Delivered-To and keeps the sender', async () => {
    home.write('.qmail-list', '&a@x\nb@y\n');
    const { said, forward } = await post(home, { local: 'joe-list' });
    expect(said).toBe('Kdid 0+2+0\n');
    expect(forward).toEqual({
      rcpt: 0,
      returnPath: 's@q.r',
      recipients: ['a@x', 'b@y'],
      prefix: 'Delivered-To: joe-list@demo.test\r\n',
    });
  });

  it('comes from the list’s owner where there is one', async () => {
    home.write('.qmail-List', '').write('.qmail-list', '&a@x\n').write('.qmail-list-owner', '');
    const sender = async (returnPath = 's@q.r') =>
      (await post(home, { local: 'joe-List', returnPath })).forward?.returnPath;
    expect(await sender()).toBe('joe-List-owner@demo.test');
    home.write('.qmail-list-owner-default', '');
    expect(await sender()).toBe('joe-List-owner-@demo.test-@[]');
    expect(await sender('')).toBe('');
    expect(await sender('#@[]')).toBe('#@[]');
  });

  it('goes by the extension, not by the file that matched', async () => {
    home.write('.qmail-default', '&a@x\n').write('.qmail-x-owner', '');
    expect((await post(home, { local: 'joe-x' })).forward?.returnPath).toBe(
      'joe-x-owner@demo.test',
    );
  });

  it('of the bare user asks for .qmail-owner', async () => {
    home.write('.qmail', '&a@x\n').write('.qmail-owner', '');
    expect((await post(home)).forward?.returnPath).toBe('joe-owner@demo.test');
  });

  it('may go to the empty address', async () => {
    home.write('.qmail', '&\n');
    expect((await post(home)).forward?.recipients).toEqual(['']);
  });
});

describe('a letter that cannot be read', () => {
  it.each([
    ['its header', plainLetter],
    ['its body', `Subject: hello\r\n\r\n${'line\r\n'.repeat(10)}`],
  ])('within %s defers, and programs see nothing of it', async (_, text) => {
    home.write('.qmail', '|cat\n');
    expect((await post(home, { body: brokenBody(text) })).said).toBe(
      'ZUnable to read message. (#4.3.0)\n',
    );
    expect(home.list('..')).toEqual(['joe']);
  });
});

describe('the record of a delivery', () => {
  it('has each line that did something, with what came of it', async () => {
    home.write('.qmail-x', '# c\n./Maildir/\n\n./mbox\n|echo hi\n&a@b\n|kill -9 $$\n./never\n');
    const { outcome } = await post(home, { local: 'joe-x' });
    const [letter = ''] = home.list('Maildir/new');
    expect(outcome.lines).toEqual({
      from: '.qmail-x',
      done: [
        { line: 2, kind: 'maildir', what: './Maildir/', came: `new/${letter}` },
        { line: 4, kind: 'mbox', what: './mbox', came: 'at 0' },
        { line: 5, kind: 'program', what: 'echo hi', came: 'exit 0' },
        { line: 6, kind: 'forward', what: 'a@b' },
        { line: 7, kind: 'program', what: 'kill -9 $$', came: 'SIGKILL' },
      ],
    });
  });

  it.each([
    ['|exit 99\n./mb\n', 'exit 99'],
    ['|exit 100\n', 'exit 100'],
    ['./nowhere/mb\n', 'Unable to open ./nowhere/mb: file does not exist. (#4.2.1)'],
    ['./nowhere/\n', 'Unable to chdir to maildir. (#4.2.1)'],
  ])('of %j ends with %p', async (text, came) => {
    const { outcome } = await post(home.write('.qmail', text));
    expect(outcome.lines?.done.map((line) => line.came)).toEqual([came]);
  });

  it('says that it was the default delivery, where an mbox goes on, and when time was up', async () => {
    home.write('mb', 'From x\n\n\n');
    const defaultDelivery = './mb\n|sleep 1000';
    const { outcome } = await post(home, { defaultDelivery, programTimeoutMs: 100 });
    expect(outcome.lines).toMatchObject({
      from: 'default delivery',
      done: [{ came: 'at 9' }, { came: 'time limit' }],
    });
  });

  it('finds a letter again that an earlier attempt has delivered', async () => {
    home.write('.qmail', './Maildir/\n|exit 111\n');
    const first = await post(home);
    const place = first.outcome.lines?.done[0]?.came;
    const [name = ''] = home.list('Maildir/new');
    renameSync(join(home.path, 'Maildir/new', name), join(home.path, 'Maildir/cur', `${name}:2,S`));
    const second = await post(home, { attempt: 2 });
    expect(second.outcome.lines?.done[0]?.came).toBe(`${place?.replace('new', 'cur')}:2,S`);
    expect(home.letters()).toEqual([]);
  });

  it('is nothing for a letter that got to no file', async () => {
    expect((await post(home, { local: 'joe-x' })).outcome).not.toHaveProperty('lines');
  });
});

describe('a .qmail file that is not UTF-8', () => {
  const write = (text: string) => {
    writeFileSync(join(home.path, '.qmail'), text, 'latin1');
    chmodSync(join(home.path, '.qmail'), 0o600);
  };

  it('may be so in its comments', async () => {
    write('# f\xfcr alle\n./Maildir/\n');
    expect((await post(home)).said).toBe('Kdid 1+0+0\n');
  });

  it('has its programs run as they are written, byte for byte', async () => {
    write('|printf "%s\\\\" "gr\xfc\xdf e$((1+1))" | od -An -tx1 -v\n|echo gr\xc3\xbc\xc3\x9f\n');
    const { said, outcome } = await post(home);
    expect(said).toBe('K 67 72 fc df 20 65 32 5c\ngr\u00fc\u00df\ndid 0+0+2\n');
    expect(outcome.lines?.done[0]?.what).toMatch(/gr\ufffd\ufffd/);
  });

  it.each([['./gr\xfc\xdf/\n'], ['./gr\xfc\n'], ['&gr\xfc@x\n'], ['gr\xfc@x\n']])(
    'delivers nowhere rather than to another place: %j',
    async (text) => {
      write(text);
      expect((await post(home)).said).toBe('ZUh-oh: line of .qmail file is not UTF-8. (#4.2.1)\n');
    },
  );
});
