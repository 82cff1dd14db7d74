import { beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { aloneOnMachine } from '../../src/composition/roles/machine-lock.ts';
import {
  makeAliasUser,
  makeRoleUsers,
  type AddUser,
} from '../../src/composition/roles/make-accounts.ts';
import type { SystemAccount } from '../../src/platform/system-accounts.ts';
import { openLogger } from '../../src/platform/logger.ts';
import { tempDir } from '../support/temp-dir.ts';

const dir = '/etc/waybill';
const names = {
  door: 'waybill-door',
  queue: 'waybill-queue',
  remote: 'waybill-remote',
  desk: 'waybill-desk',
  alias: 'alias',
};
const logger = openLogger('test', 'silent');

let there: Map<string, SystemAccount>;
let groups: Map<string, number>;
let calls: (readonly string[])[];
beforeEach(() => {
  there = new Map();
  groups = new Map();
  calls = [];
});

const accounts = {
  account: (key: string) => there.get(key),
  gid: (key: string) => groups.get(key),
};

const adds: AddUser = (args) => {
  calls.push(args);
  const name = args.at(-1)!;
  there.set(name, { name, uid: 900 + there.size, gid: 800 + there.size });
  return undefined;
};

const make = (addUser: AddUser, users = names) =>
  makeRoleUsers({ users, dir }, { accounts, addUser, logger, alone: (work) => work() });

describe('the accounts of the roles', () => {
  it('are made where they are missing, as system accounts without a home or a shell', async () => {
    there.set('waybill-queue', { name: 'waybill-queue', uid: 77, gid: 78 });
    const users = await make(adds);
    expect(users.queue).toEqual({ name: 'waybill-queue', uid: 77, gid: 78 });
    expect(users.door.uid).not.toBe(users.remote.uid);
    expect(calls.map((args) => args.at(-1))).toEqual([
      'waybill-door',
      'waybill-remote',
      'waybill-desk',
    ]);
    expect(calls[0]).toEqual(
      expect.arrayContaining(['--system', '--no-create-home', '--user-group']),
    );
  });

  it('are made once when two roles share one', async () => {
    const users = await make(adds, { ...names, door: 'mail', remote: 'mail' });
    expect(users.door).toEqual(users.remote);
    expect(calls).toHaveLength(3);
  });

  it('join a group of their name or choice that is there already', async () => {
    groups.set('waybill-door', 801);
    groups.set('post', 802);
    const users = await make(adds, { ...names, remote: 'courier:post' });
    expect(calls[0]!.slice(-3)).toEqual(['--gid', 'waybill-door', 'waybill-door']);
    expect(calls[2]!.slice(-3)).toEqual(['--gid', 'post', 'courier']);
    expect(users.remote.gid).toBe(802);
  });

  it('are waited for while another start makes them', async () => {
    let tries = 0;
    const busy: AddUser = (args) => {
      tries += 1;
      if (tries === 1) return 'useradd: cannot lock /etc/passwd; try again later.';
      // The other start was quicker.
      adds(args);
      return tries === 2 ? 'useradd: cannot lock /etc/passwd; try again later.' : undefined;
    };
    const users = await make(busy);
    expect(users.door.name).toBe('waybill-door');
  });

  it.each([
    [
      'says why',
      () => 'useradd: command not found',
      /could not be made \(useradd: command not found\)/,
    ],
    ['says nothing', () => undefined, /could not be made \(useradd said nothing\)/],
  ])('that cannot be made are a mistake of their key: useradd %s', async (_, addUser, why) => {
    const made = make(addUser);
    await expect(made).rejects.toThrow(why);
    await expect(made).rejects.toThrow(
      '/etc/waybill/waybill.toml: users.door: there is no account',
    );
  });

  it('are never made for a number', async () => {
    await expect(make(adds, { ...names, door: '1001' })).rejects.toThrow(/write "1001:GROUP"/);
    expect(calls).toEqual([]);
  });
});

describe('the account that aliases belong to', () => {
  const makeAlias = (users = names) =>
    makeAliasUser({ users, dir }, { accounts, addUser: adds, logger, alone: (work) => work() });

  it('is used as it is, or made once', async () => {
    expect(await makeAlias()).toMatchObject({ name: 'alias' });
    expect(await makeAlias()).toMatchObject({ name: 'alias' });
    expect(calls.map((args) => args.at(-1))).toEqual(['alias']);
  });

  it('may be root, which runs no programs', async () => {
    there.set('root', { name: 'root', uid: 0, gid: 0 });
    expect(await makeAlias({ ...names, alias: 'root' })).toMatchObject({ uid: 0 });
    expect(calls).toEqual([]);
  });
});

describe('what only one start does at a time', () => {
  it('waits for the start that does it now', async () => {
    const dir = tempDir();
    const told: string[] = [];
    const work = (name: string) => async () => {
      told.push(`${name} begins`);
      await sleep(5);
      told.push(`${name} ends`);
    };
    const file = dir.file('lock');
    await Promise.all([aloneOnMachine(work('one'), file), aloneOnMachine(work('two'), file)]);
    expect(told).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
    dir.remove();
  });

  it('is done at once where there is no place for a lock', async () => {
    expect(await aloneOnMachine(async () => 'done', '/nowhere/at/all')).toBe('done');
  });
});
