import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { Trouble } from '../../../src/mail/trouble.ts';
import type { Owner } from '../../../src/aliases/owner.ts';
import { rootIdentity, type Who } from '../../../src/delivery/local/identity.ts';
import { channelFor, Home, orderFor, post } from './story.ts';

let home: Home;
beforeEach(() => {
  home = new Home().maildir();
});
afterEach(() => home.remove());

const recipients = (...locals: string[]) =>
  locals.map((local, index) => ({ rcpt: index * 2, address: `${local}@demo.test` }));

describe('the local channel', () => {
  it('answers for each recipient, in the order asked, with its own forward', async () => {
    home
      .write('.qmail-slow', '|sleep 0.1\n&slow@x\n')
      .write('.qmail-quick', '&quick@x\n')
      .write('.qmail-bad', '|exit 100\n');
    const ownerOf = async (local: string): Promise<Owner | undefined> =>
      local === '' ? undefined : { user: 'joe', home: home.path, dash: '-', ext: local };
    const report = await lastValueFrom(
      channelFor(home, { parts: { ownerOf } }).attempt({
        ...orderFor(),
        recipients: recipients('slow', 'bad', 'quick', 'none', ''),
      }),
    );
    expect(report.outcomes.map(({ rcpt, kind }) => [rcpt, kind])).toEqual([
      ...[
        [0, 'delivered'],
        [2, 'failed'],
        [4, 'delivered'],
        [6, 'failed'],
        [8, 'delivered'],
      ],
    ]);
    expect(report.forwards?.map(({ rcpt, recipients: to }) => [rcpt, to])).toEqual([
      ...[
        [0, ['slow@x']],
        [4, ['quick@x']],
      ],
    ]);
  });

  it('takes and drops a letter to the empty local part', async () => {
    const parts = { ownerOf: async () => undefined };
    expect((await post(home, { parts })).said).toBe('K');
  });

  it('defers when nobody can tell whose mail it is, in the words of whoever could not', async () => {
    const heard: unknown[] = [];
    const peer = 'Unable to find alias user!';
    const trouble = new Trouble('busy', { tryAgain: true, peer });
    const ownerOf = () => Promise.reject(trouble);
    const parts = { ownerOf, onTrouble: (cause: unknown) => heard.push(cause) };
    expect((await post(home, { parts })).said).toBe(`Z${peer}\n`);
    expect(heard).toEqual([trouble]);
  });

  it('defers one recipient, and tells no secrets, when something unforeseen goes wrong', async () => {
    const ownerOf = () => Promise.reject(new Error('secret path'));
    expect((await post(home, { parts: { ownerOf } })).said).toBe(
      'ZTemporary failure in local delivery. (#4.3.0)\n',
    );
  });

  it('does nothing before somebody subscribes', async () => {
    channelFor(home).attempt(orderFor());
    await new Promise((resolve) => setImmediate(resolve));
    expect(home.letters()).toEqual([]);
  });

  it('calls programs off when the order is withdrawn', async () => {
    home.write('.qmail', '|echo $$ > pid.new; mv pid.new pid; exec sleep 1000\n');
    const subscription = channelFor(home).attempt(orderFor()).subscribe();
    const pid = join(home.path, 'pid');
    do await new Promise((resolve) => setTimeout(resolve, 5));
    while (!existsSync(pid));
    const program = Number(home.read('pid'));
    subscription.unsubscribe();
    const alive = () => {
      try {
        return process.kill(program, 0);
      } catch {
        return false;
      }
    };
    while (alive()) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(alive()).toBe(false);
  });

  it('touches files with the owner’s rights only', async () => {
    const asked = new Set<string>();
    const identity = {
      switches: false,
      whoFor: ({ uid = 7, gid = 7 }) => ({ uid, gid }),
      as: <T>(who: Who, run: () => T): T => {
        asked.add(`${who.uid}:${who.gid}`);
        return run();
      },
    };
    home.write('.qmail', './Maildir/\n./mbox\n');
    await post(home, { owner: { uid: 1501, gid: 1502 }, parts: { identity } });
    expect([...asked]).toEqual(['1501:1502']);
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot('of an engine that is root delivers, and runs programs, as the owner', async () => {
    chmodSync(home.root, 0o711);
    const path = join(home.root, 'homes/new');
    const owner = { home: path, managed: true as const, uid: 1501, gid: 1502 };
    const parts = { identity: rootIdentity({ uid: 65_534, gid: 65_534 }) };
    const defaultDelivery = './Maildir/\n|id -u; id -G; wc -c < /dev/stdin; echo x > made';
    const { said } = await post(home, { owner, parts, defaultDelivery });
    expect(said).toBe('K1501\n1502\n21\ndid 1+0+1\n');
    const [letter = ''] = readdirSync(join(path, 'Maildir/new'));
    for (const file of ['.', 'Maildir', `Maildir/new/${letter}`, 'made']) {
      expect(statSync(join(path, file))).toMatchObject({ uid: 1501, gid: 1502 });
    }
    expect([process.geteuid?.(), process.getegid?.()]).toEqual([0, 0]);
  });

  asRoot('of an engine that is root cannot be led by a user into what is not his', async () => {
    chmodSync(home.root, 0o711);
    chownSync(home.path, 1501, 1502);
    home.write('.qmail', '../secret/\n');
    chmodSync(join(home.path, '.qmail'), 0o644);
    for (const folder of ['tmp', 'new', 'cur'])
      mkdirSync(join(home.root, 'secret', folder), { recursive: true });
    const parts = { identity: rootIdentity({ uid: 65_534, gid: 65_534 }) };
    const { said } = await post(home, { owner: { uid: 1501, gid: 1502 }, parts });
    expect(said).toBe('ZTemporary error on maildir delivery. (#4.3.0)\n');
    expect(readdirSync(join(home.root, 'secret/new'))).toEqual([]);
  });
});
