import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dotQmailNames } from '../../src/aliases/dot-qmail-names.ts';
import { dotQmailCases } from '../support/dot-qmail-cases.ts';

const names = (dash: string, ext: string) => dotQmailNames(dash, ext).map(({ name }) => name);
const restOf = (ext: string, file: string) =>
  dotQmailNames('-', ext).find(({ name }) => name === file);

describe('names of dot-qmail files', () => {
  it.each([
    ...dotQmailCases,
    ['-', 'a/b', ['.qmail-a/b', '.qmail-default']],
    // info@virt, where virtualdomains says virt:joe-v
    ['-', 'v-info', ['.qmail-v-info', '.qmail-v-default', '.qmail-default']],
    ['-/', 'a', ['.qmail-/a', '.qmail-/default']],
  ])('for dash %p and extension %p are %p', (dash, ext, expected) => {
    expect(names(dash, ext)).toEqual(expected);
  });

  it.each([
    ['a-b-c', '.qmail-a-default', 'b-c'],
    ['A.B', '.qmail-default', 'A.B'],
    ['A-', '.qmail-a-default', ''],
    ['A-DEFAULT', '.qmail-a-default', 'DEFAULT'],
    ['xdefault', '.qmail-xdefault', 'default'],
  ])('extension %s in %s leaves DEFAULT=%p', (ext, file, rest) => {
    expect(restOf(ext, file)?.rest).toBe(rest);
  });

  it('leave DEFAULT unset for a name that is matched whole', () => {
    expect(restOf('a-b', '.qmail-a-b')).not.toHaveProperty('rest');
  });

  it('never lead out of the home, whatever a stranger writes', () => {
    const hostile = fc.array(fc.constantFrom('.', '/', '-', 'a', '..', '\0'), { maxLength: 12 });
    fc.assert(
      fc.property(hostile, (parts) => {
        for (const name of names('-', parts.join(''))) {
          expect(name).toMatch(/^\.qmail-/);
          expect(name.split('/').slice(1).join('/')).not.toMatch(/[.\0]/);
        }
      }),
    );
  });

  it('are none when the dash field climbs out', () => {
    expect(names('/../', 'a')).toEqual([]);
  });
});
