import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
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
const head = 'Return-Path: <s@q.r>\nDelivered-To: joe@demo.test\n';

describe('the worked examples of dot-qmail', () => {
  it('sends what stands before a 99, ignores what follows', async () => {
    home.write('.qmail', '&pre@x\n|exit 99\n&post@x\n./mb\n');
    const { said, forward } = await post(home);
    expect(said).toBe('Kdid 0+1+1\n');
    expect(forward?.recipients).toEqual(['pre@x']);
    expect(home.list('.')).not.toContain('mb');
  });

  it('forwards nothing when a later line defers', async () => {
    home.write('.qmail', '&pre@x\n|exit 1\n./mb\n');
    const { said, forward } = await post(home);
    expect(said).toBe('Z');
    expect(forward).toBeUndefined();
    expect(home.list('.')).not.toContain('mb');
  });

  it('does not take back a copy when a later line fails', async () => {
    home.write('.qmail', './Mailbox\n|exit 100\n');
    expect((await post(home)).said).toBe('D');
    expect(home.read('Mailbox')).toContain('Subject: hello');
  });

  it('puts a copy into an mbox at every retry, into a Maildir only once', async () => {
    home.write('.qmail', './Mailbox\n./Maildir/\n|exit 111\n');
    expect((await post(home)).said).toBe('Z');
    expect((await post(home, { attempt: 2 })).said).toBe('Z');
    expect(home.read('Mailbox').match(/Subject: hello/g)).toHaveLength(2);
    expect(home.letters()).toHaveLength(1);
  });

  it('takes lines literally', async () => {
    home.write('.qmail', '# c\n\n./mb  \t\n|echo hi \n&a b \n& c@d\n');
    const { said, forward } = await post(home);
    expect(said).toBe('Khi\ndid 1+2+1\n');
    expect(forward?.recipients).toEqual(['a b', ' c@d']);
    expect(home.list('.')).toContain('mb');
  });

  it('delivers by a last line without LF', async () => {
    home.write('.qmail', './nonl');
    expect((await post(home)).said).toBe('Kdid 1+0+0\n');
    expect(home.read('nonl')).toMatch(/^From s@q\.r Fri Nov 20 23:49:09 2026\n/);
  });

  it('refuses a file after +list', async () => {
    home.write('.qmail', '+list\n&a@b\n./mb\n');
    expect((await post(home)).said).toBe(
      'ZUh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n',
    );
  });

  it('does the default delivery for an empty file, whatever its x bit', async () => {
    home.write('.qmail', '', 0o755);
    expect((await post(home)).said).toBe('Kdid 1+0+0\n');
    expect(home.letters()).toEqual([`${head}Subject: hello\n\nline\n`]);
  });

  it('shows each program the letter from the start', async () => {
    home.write('.qmail', '|head -1\n|head -2\n');
    expect((await post(home)).said).toBe('KSubject: hello\nSubject: hello\n\ndid 0+0+2\n');
  });

  it('delivers nowhere by a file of comments', async () => {
    home.write('.qmail', '# nobody\n');
    expect((await post(home)).said).toBe('Kdid 0+0+0\n');
  });
});

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

  it('takes a file that its group may write', async () => {
    home.write('.qmail-a', '# a\n', 0o660);
    expect((await post(home, { local: 'joe-a' })).said).toBe('Kdid 0+0+0\n');
  });

  it.each([
    ['EACCES', 'ZUnable to open .qmail-a: access denied. (#4.3.0)\n'],
    ['EIO', 'ZUnable to open .qmail-a: input/output error. (#4.3.0)\n'],
    ['ELOOP', 'Kdid 0+0+0\n'],
  ])('that meets %s says %p', async (code, expected) => {
    home.write('.qmail-default', '# b\n');
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
