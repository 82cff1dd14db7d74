import { describe, expect, it } from '@jest/globals';
import { parseAssign } from '../../src/aliases/assign.ts';
import {
  passwdToAssign,
  type AccountTables,
  type PasswdOptions,
} from '../../src/aliases/passwd-to-assign.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
joe:x:1501:1502:Joe:/home/joe:/bin/sh
Upper:x:1503:1503::/home/Upper:/bin/sh
alias:x:7790:2107::/q/alias:/bin/true
nobody:x:65534:65534::/nonexistent:/x
other:x:1504:1504::/home/joe:/x
short:x:1505:1505::/home/joe
`;

const owners: Readonly<Record<string, number>> = {
  ...{ '/home/joe': 1501, '/home/Upper': 1503, '/q/alias': 7790, '/root': 0 },
};

const lines = (
  tables: AccountTables = {},
  options: Partial<PasswdOptions> = {},
  text = passwd,
): readonly string[] =>
  [
    ...passwdToAssign(
      text,
      tables,
      { homes: 'owned', allowUpperCase: false, breakCharacter: '-', dash: '-', ...options },
      (home) => owners[home],
    ),
  ].map((line) => line.slice(0, -1));

const joe = ['=joe:joe:1501:1502:/home/joe:::', '+joe-:joe:1501:1502:/home/joe:-::'];
const alias = [
  '+:alias:7790:2107:/q/alias:-::',
  '=alias:alias:7790:2107:/q/alias:::',
  '+alias-:alias:7790:2107:/q/alias:-::',
];

describe('lines for users/assign', () => {
  it('are two for each user whose home is his, and one more for alias', () => {
    expect(lines()).toEqual([...joe, ...alias, '.']);
  });

  it.each<[string, AccountTables, Partial<PasswdOptions>, readonly string[]]>([
    ['who are included', { include: 'JOE\nalias  \n#x\n' }, {}, [...joe, ...alias]],
    ['who are not excluded', { exclude: 'joe\n' }, {}, alias],
    [
      'with capitals where they may',
      { exclude: 'joe\n' },
      { allowUpperCase: true },
      [
        '=Upper:Upper:1503:1503:/home/Upper:::',
        '+Upper-:Upper:1503:1503:/home/Upper:-::',
        ...alias,
      ],
    ],
    [
      'by other names',
      { mailnames: 'joe:joseph::jo\n', include: 'joe\nalias' },
      {},
      [
        '=joseph:joe:1501:1502:/home/joe:::',
        '+joseph-:joe:1501:1502:/home/joe:-::',
        '=jo:joe:1501:1502:/home/joe:::',
        '+jo-:joe:1501:1502:/home/joe:-::',
        ...alias,
      ],
    ],
    ['without extensions', {}, { breakCharacter: '' }, [joe[0]!, alias[0]!, alias[1]!]],
    [
      'with another break character',
      { include: 'joe\nalias' },
      { breakCharacter: '+' },
      [
        joe[0]!,
        '+joe+:joe:1501:1502:/home/joe:-::',
        alias[0]!,
        alias[1]!,
        '+alias+:alias:7790:2107:/q/alias:-::',
      ],
    ],
    [
      'with a folder of files',
      { include: 'alias' },
      { dash: '-/' },
      ['+:alias:7790:2107:/q/alias:-/::', alias[1]!, '+alias-:alias:7790:2107:/q/alias:-/::'],
    ],
    [
      'and for parts of theirs',
      { subusers: 'info:joe:list:\nnot:joe:ended\n' },
      {},
      [
        ...joe,
        ...alias,
        '=info:joe:1501:1502:/home/joe:-:list:',
        '+info-:joe:1501:1502:/home/joe:-:list-:',
      ],
    ],
    [
      'whatever the case of their names',
      { subusers: 'info:JOE:list:\n' },
      {},
      [
        ...joe,
        ...alias,
        '=info:joe:1501:1502:/home/joe:-:list:',
        '+info-:joe:1501:1502:/home/joe:-:list-:',
      ],
    ],
    [
      'and whatever is appended',
      { append: '=x:joe:1:1:/x:::\n' },
      {},
      [...joe, ...alias, '=x:joe:1:1:/x:::'],
    ],
  ])('are for users %s', (_, tables, options, expected) => {
    expect(lines(tables, options)).toEqual([...expected, '.']);
  });

  it('are for everybody when homes are not looked at', () => {
    const users = lines({}, { homes: 'unchecked' }).filter((line) => line.startsWith('='));
    expect(users.map((line) => line.split(':')[1])).toEqual(['joe', 'alias', 'nobody', 'other']);
  });

  it('are text that qmail-newu takes', () => {
    const { simple, idle } = parseAssign(lines().join('\n'));
    expect([[...simple.keys()], idle]).toEqual([['joe', 'alias'], []]);
  });

  it.each<[string, AccountTables, Partial<PasswdOptions>, string, string]>([
    ['alias', {}, {}, 'joe:x:1501:1502::/home/joe:/x\n', 'unable to find alias user'],
    ['a home that must exist', {}, { homes: 'must-exist' }, passwd, 'unable to stat /nonexistent'],
    ['a subuser', { subusers: 'a:none::' }, {}, passwd, 'unable to find none user for subuser'],
    [
      'one in half a line',
      { subusers: 'a:no:x' },
      {},
      passwd,
      'unable to find no user for subuser',
    ],
  ])('end without a dot for want of %s', (_, tables, options, text, message) => {
    expect(() => lines(tables, options, text)).toThrow(message);
  });
});
