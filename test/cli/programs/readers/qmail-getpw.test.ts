/** qmail-getpw: the worked examples of spec: qmail-control §4.3, and its exit codes. */
import { describe, expect, it } from '@jest/globals';
import type { Account, Accounts } from '../../../../src/aliases/accounts.ts';
import { qmailGetpw } from '../../../../src/cli/programs/readers/qmail-getpw.ts';
import { runProgram } from '../../../../src/cli/programs/lib/program.ts';

const account = (uid: number, homeOwner = uid): Account => ({
  ...{ uid, gid: uid + 1, home: `/home/${uid}`, homeOwner },
});
const book: Record<string, Account | 'temporary'> = {
  joe: account(1501),
  'joe-bob': account(1503),
  fred: account(1502),
  alias: account(7790),
  root: account(0),
  nobody: account(65534, 0),
  away: 'temporary',
};

async function run(args: readonly string[], known: typeof book = book) {
  const accounts: Accounts = { lookUp: async (name) => known[name] ?? 'none' };
  let printed = '';
  const program = qmailGetpw({ accounts, print: (text) => (printed += text) });
  const call = { args, env: {}, say: () => undefined, async *input() {} };
  return { exit: await runProgram('qmail-getpw', program, call), fields: printed.split('\0') };
}

describe('qmail-getpw', () => {
  it.each([
    ['joe', 'joe', '', ''],
    ['JOE', 'joe', '', ''],
    ['joe-x', 'joe', '-', 'x'],
    ['joe-bob', 'joe-bob', '', ''],
    ['joe-bo', 'joe', '-', 'bo'],
    ['joe-', 'joe', '-', ''],
    ['Fred-A-B', 'fred', '-', 'A-B'],
    ['root', 'alias', '-', 'root'],
    ['nobody', 'alias', '-', 'nobody'],
    ['', 'alias', '-', ''],
    ['-x', 'alias', '-', '-x'],
    ['alias', 'alias', '', ''],
  ])('gives %j to %s, dash %j, extension %j', async (local, user, dash, ext) => {
    const { uid, gid, home } = book[user] as Account;
    expect(await run([local])).toEqual({
      exit: 0,
      fields: [user, String(uid), String(gid), home, dash, ext, ''],
    });
  });
  it.each([
    ['without an argument', [], book, 100],
    ['where nobody is alias', ['unknown'], {}, 116],
    ['when nobody can tell now', ['away-x'], book, 118],
  ] as const)('says nothing %s', async (_when, args, known, exit) => {
    expect(await run(args, known)).toEqual({ exit, fields: [''] });
  });
});
