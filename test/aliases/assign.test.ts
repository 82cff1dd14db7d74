import { describe, expect, it } from '@jest/globals';
import { lookUp, parseAssign } from '../../src/aliases/assign.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';

const example = `=Joe:joe:1501:1501:/home/joe:::
=joe:fred:1502:1502:/home/fred:::
+list-:fred:1502:1502:/home/fred:-:l-:
+list-dev-:joe:1501:1501:/home/joe:-:d-:
+:alias:7790:2107:/q/alias:-::
+w:joe:1501:1501:/home/joe:-:w-:
=root:x:0:0:/root:::
.
nonsense after the dot`;

const found = (text: string, local: string) => {
  const assignment = lookUp(parseAssign(text), local);
  return assignment && [assignment.user, assignment.dash, assignment.ext];
};

describe('users/assign', () => {
  it.each([
    ['joe', ['joe', '', '']],
    ['JoE', ['joe', '', '']],
    ['list-x', ['fred', '-', 'l-x']],
    ['LIST-Dev-Y', ['joe', '-', 'd-Y']],
    ['list-', ['fred', '-', 'l-']],
    ['list', ['alias', '-', 'list']],
    ['wxyz', ['joe', '-', 'w-xyz']],
    ['root', ['x', '', '']],
    ['', ['alias', '-', '']],
  ])('gives %p to %p', (local, owner) => {
    expect(found(example, local)).toEqual(owner);
  });

  it('keeps uid, gid and home', () => {
    const owner = lookUp(parseAssign(example), 'list-x');
    expect(owner).toMatchObject({ uid: 1502, gid: 1502, home: '/home/fred' });
  });

  it('never finds a wildcard whose last letter is written upper-case, unless another ends in it', () => {
    expect(found('+FOO:a:1:1:/a:-::\n.\n', 'FOObar')).toBeUndefined();
    expect(found('+FOO:a:1:1:/a:-::\n.\n', 'foobar')).toBeUndefined();
    expect(found('+foo:a:1:1:/a:-::\n.\n', 'FOObar')).toEqual(['a', '-', 'bar']);
    expect(found('+FOO:a:1:1:/a:-::\n+bo:b:1:1:/b:-::\n.\n', 'foobar')).toEqual(['a', '-', 'bar']);
  });

  it('names the lines that can never match', () => {
    const text = '=joe:a:1:1:/a:::\n=JOE:b:1:1:/b:::\n+FOO:a:1:1:/a:-::\n+:a:1:1:/a:-::\n.\n';
    expect(parseAssign(text).idle).toEqual([2, 3]);
  });

  it('takes any first letter but + for =', () => {
    expect(found('xjoe:a:1:1:/a:::\n.\n', 'joe')).toEqual(['a', '', '']);
  });

  it('ignores what follows the seventh colon', () => {
    expect(found('=joe:a:1:1:/a:-:e:rest\n.', 'joe')).toEqual(['a', '-', 'e']);
  });

  it('takes an empty uid and gid for the user of the engine, and a home in the data directory', () => {
    const owner = lookUp(parseAssign('=joe:joe:::homes/joe:::\n.\n'), 'joe');
    expect(owner).toEqual({
      ...{ user: 'joe', home: 'homes/joe', dash: '', ext: '', by: 'users/assign:1 =joe' },
    });
  });

  it('knows a table without lines', () => {
    expect(found('.\n', 'joe')).toBeUndefined();
  });

  it.each([
    ['no dot at the end', '=joe:a:1:1:/a:::\n', 1],
    ['an empty file', '', 1],
    ['a blank line', '=joe:a:1:1:/a:::\n\n.\n', 2],
    ['a NUL', '=j\0oe:a:1:1:/a:::\n.\n', 1],
    ['a missing last colon', '=joe:a:1:1:/a::\n.\n', 1],
    ['nothing before the first colon', '=a:a:1:1:/a:::\n:a:1:1:/a::::\n.\n', 2],
    ['a uid that is no number', '=joe:a:x:1:/a:::\n.\n', 1],
    ['a uid that is too large', '=joe:a:4294967295:1:/a:::\n.\n', 1],
    ['a uid without gid', '=joe:a:1::/a:::\n.\n', 1],
    ['no home', '=joe:a:1:1::::\n.\n', 1],
    ['a managed home that climbs out', '=joe:a:::homes/../../etc:::\n.\n', 1],
  ])('refuses %s and names the line', (_, text, line) => {
    const parse = () => parseAssign(text, 'config/users/assign');
    expect(parse).toThrow(ControlMistake);
    expect(parse).toThrow(expect.objectContaining({ file: 'config/users/assign', line }));
  });
});
