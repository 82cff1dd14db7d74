import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AssignDamage, compileAssign, findAssigned } from '../../src/aliases/assign-cdb.ts';
import { lookUp, parseAssign, type Assignment } from '../../src/aliases/assign.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';
import { buildCdb } from '../support/build-cdb.ts';
import { bytesAsSource, openCdb } from '../../src/wire/cdb/reader.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const asBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** Text as a file has it. */
const compile = (text: string) => [...compileAssign(asBytes(text))];

/** The database does not know which line it was. */
const withoutLine = (found: Assignment | undefined): Assignment | undefined => {
  if (found === undefined) return undefined;
  const { by: _, ...rest } = found;
  return rest;
};

const database = (text: string) =>
  openCdb(bytesAsSource(buildCdb(compile(text).map(([key, data]) => [bytes(key), bytes(data)]))));

const example = `=Joe:joe:503:78:/home/joe:::
=joe:other:1:1:/home/other:::
+Joe-:joe:503:78:/home/joe:-::
+joe-list-:lists:504:79:/home/lists:-:sub-:
+FOO:never:1:1:/never:::
x=odd:odd:7:8:/odd:-:e:
+:alias:7790:2108:/var/qmail/alias:-::
.
=after:not:1:1:/read:::
`;

describe('users/cdb', () => {
  it('has a record for each line, and one for the ends of all starts', () => {
    expect(compile(example).map(([key, data]) => `${key}=${data}`.replaceAll('\0', '¦'))).toEqual([
      '!joe¦=joe¦503¦78¦/home/joe¦¦',
      '!joe¦=other¦1¦1¦/home/other¦¦',
      '!joe-=joe¦503¦78¦/home/joe¦-¦',
      '!joe-list-=lists¦504¦79¦/home/lists¦-¦sub-',
      '!foo=never¦1¦1¦/never¦¦',
      '!=odd¦=odd¦7¦8¦/odd¦-¦e',
      '!=alias¦7790¦2108¦/var/qmail/alias¦-¦',
      '=-O',
    ]);
  });

  it.each([
    ['joe', 'joe', ''],
    ['JOE', 'joe', ''],
    ['joe-Bar', 'joe', 'Bar'],
    ['joe-list-X', 'lists', 'sub-X'],
    ['joe-list', 'joe', 'list'],
    ['foobar', 'alias', 'foobar'],
    ['', 'alias', ''],
    ['=odd', 'odd', 'e'],
    ['after', 'alias', 'after'],
  ])('says that %j belongs to %s, with the extension %j', (local, user, ext) => {
    expect(findAssigned(database(example).get, local)).toMatchObject({ user, ext });
  });

  it('keeps what only we know: no uid and gid, a home in the data directory', () => {
    const { get } = database('=demo:demo:::mail/demo:::\n.\n');
    expect(findAssigned(get, 'demo')).toEqual({
      user: 'demo',
      home: 'mail/demo',
      dash: '',
      ext: '',
    });
  });

  it('says the same as the text', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'B', '-', 'é', 'o'), maxLength: 4 });
    const line = fc
      .tuple(fc.constantFrom('=', '+'), name, fc.nat(99))
      .map(([sign, start, id]) => `${sign}${start}:u${id}:${id}:${id}:/h:-:${id}-:\n`);
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.array(name, { maxLength: 8 }),
        (lines, locals) => {
          const text = `${lines.join('')}.\n`;
          const [table, cdb] = [parseAssign(text), database(text)];
          for (const local of locals)
            expect(findAssigned(cdb.get, local)).toEqual(withoutLine(lookUp(table, local)));
        },
      ),
    );
  });

  it.each([['=a:b:1:1:/h::\n.\n'], ['=a:b:1:1:/h:::\n'], ['\n.\n'], ['=a:b:x:1:/h:::\n.\n']])(
    'is not made of %j',
    (text) => {
      expect(() => compile(text)).toThrow(ControlMistake);
    },
  );

  it.each([
    ['joe\x001\x001\0/h\0-'],
    ['joe\x001\x001\0\0-\0'],
    ['joe\0x\x001\0/h\0-\0'],
    ['joe\x001\x001\0../h\0-\0'],
  ])('with the data %j is damaged', (data) => {
    expect(() => findAssigned(() => bytes(data), 'joe')).toThrow(AssignDamage);
  });
});
