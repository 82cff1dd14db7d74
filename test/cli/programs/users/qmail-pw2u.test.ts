import { describe, expect, it } from '@jest/globals';
import { qmailPw2u } from '../../../../src/cli/programs/users/qmail-pw2u.ts';
import { runTool } from '../../../support/program-run.ts';
import { memoryFiles } from '../../../support/table-files.ts';

const passwd = 'alias:x:7:8::/q:/x\njoe:x:9:9::/joe:/x\nAnn:x:10:10::/ann:/x\n';

const run = (
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
  input = passwd,
) =>
  runTool(
    'qmail-pw2u',
    (tools) =>
      qmailPw2u(tools, {
        directory: () => '/c/users',
        ownerOfHome(home) {
          if (home === '/ill') throw Object.assign(new Error(), { code: 'EIO' });
          return { '/q': 7, '/joe': 9, '/ann': 10 }[home];
        },
      }),
    memoryFiles(files),
    { args, input },
  );

describe('qmail-pw2u', () => {
  it('prints users/assign for the accounts it reads', async () => {
    expect(await run(['-o'])).toEqual({
      ...{ exit: 0, said: '' },
      printed:
        '+:alias:7:8:/q:-::\n=alias:alias:7:8:/q:::\n+alias-:alias:7:8:/q:-::\n' +
        '=joe:joe:9:9:/joe:::\n+joe-:joe:9:9:/joe:-::\n.\n',
    });
  });

  it('heeds the files beside users/assign', async () => {
    const files = { '/c/users/exclude': 'joe\n', '/c/users/append': 'x\n' };
    expect((await run(['-C'], files)).printed).toBe(
      '+:alias:7:8:/q:-::\n=alias:alias:7:8:/q:::\nx\n.\n',
    );
  });

  it.each([
    [['-u', '-C'], '=Ann:Ann:10:10:/ann:::\n'],
    [['-uC'], '=Ann:Ann:10:10:/ann:::\n'],
    [['-c+'], '+joe+:joe:9:9:/joe:-::\n'],
    [['-c', '+'], '+joe+:joe:9:9:/joe:-::\n'],
    [['-/'], '+joe-:joe:9:9:/joe:-/::\n'],
  ])('takes %j', async (args, line) => {
    expect((await run(args)).printed).toContain(line);
  });

  it.each([
    ['an option it does not know', ['-x'], passwd, 100, 'qmail-pw2u: illegal option -- x\n'],
    ['no alias', [], 'joe:x:9:9::/joe:/x\n', 111, 'qmail-pw2u: fatal: unable to find alias user\n'],
    [
      'a lost home',
      ['-h'],
      'a:x:1:1::/lost:/x\n',
      111,
      'qmail-pw2u: fatal: unable to stat /lost\n',
    ],
    [
      'a home it cannot see',
      [],
      'a:x:1:1::/ill:/x\n',
      111,
      'qmail-pw2u: fatal: unable to stat /ill\n',
    ],
  ])('ends for %s, and prints no final dot', async (_, args, input, exit, said) => {
    const ran = await run(args, {}, input);
    expect([ran.exit, ran.said]).toEqual([exit, said]);
    expect(ran.printed).not.toMatch(/^\.$/m);
  });
});
