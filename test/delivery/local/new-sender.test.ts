import { describe, expect, it } from '@jest/globals';
import { newSender } from '../../../src/delivery/local/new-sender.ts';
import { expandVerp } from '../../../src/mail/verp.ts';

const to = { local: 'joe-list', domain: 'h.x' };

describe('the sender of a forward', () => {
  it.each([
    ['', true, true, ''],
    ['#@[]', true, true, '#@[]'],
    ['s@q.r', false, false, 's@q.r'],
    ['s@q.r', true, false, 'joe-list-owner@h.x'],
    ['s@q.r', true, true, 'joe-list-owner-@h.x-@[]'],
  ])(
    'from %p, with owner file %p and its default %p, is %p',
    (sender, owner, ownerDefault, expected) => {
      expect(newSender(sender, to, { owner, ownerDefault })).toBe(expected);
    },
  );
});

describe('a variable envelope return path', () => {
  it.each([
    [
      'joe-own-@heaven.af.mil-@[]',
      'fred@heaven.af.mil',
      'joe-own-fred=heaven.af.mil@heaven.af.mil',
    ],
    ['p-@h-@[]', 'a@b@c', 'p-a@b=c@h'],
    ['p-@-@[]', 'a@b', 'p-a=b@'],
    ['s@q.r', 'a@b', 's@q.r'],
    ['', 'a@b', ''],
    ['#@[]', 'a@b', '#@[]'],
    ['-@[]', 'a@b', '-@[]'],
    ['p-@h-@[]', 'nodomain', 'p-@h-@[]'],
  ])('%p to %p becomes %p', (sender, recipient, expected) => {
    expect(expandVerp(sender, recipient)).toBe(expected);
  });
});
