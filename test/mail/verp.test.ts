import { describe, expect, it } from '@jest/globals';
import { expandVerp, isVerp } from '../../src/mail/verp.ts';

describe('a return path', () => {
  it.each([
    [
      'joe-own-@heaven.af.mil-@[]',
      'fred@heaven.af.mil',
      'joe-own-fred=heaven.af.mil@heaven.af.mil',
    ],
    ['list-@h-@[]', 'a@b@c', 'list-a@b=c@h'],
    ['a@b@h-@[]', 'r@d', 'a@br=d@h'],
    ['list-@-@[]', 'r@d', 'list-r=d@'],
    ['@h-@[]', 'r@d', 'r=d@h'],
    ['list-@h-@[]', 'fred-sp-other@special.test', 'list-fred-sp-other=special.test@h'],
  ])('%j is made anew for %j: %j', (returnPath, recipient, expanded) => {
    expect(isVerp(returnPath)).toBe(true);
    expect(expandVerp(returnPath, recipient)).toBe(expanded);
  });

  it.each(['', 'joe@here.test', '#@[]', '-@[]', 'list-@[]', 'joe-own-@h-@[]x', 'joe@h-@[] '])(
    '%j stays as it is',
    (returnPath) => {
      expect(isVerp(returnPath)).toBe(false);
      expect(expandVerp(returnPath, 'r@d')).toBe(returnPath);
    },
  );

  it('stays as it is for a recipient without a host', () => {
    expect(expandVerp('list-@h-@[]', 'r')).toBe('list-@h-@[]');
  });
});
