import { describe, expect, it } from '@jest/globals';
import { isInternational, isSendable } from '../../../src/delivery/remote/sendable.ts';

describe('an address in a command line', () => {
  it.each(['joe@b.test', '', '#@[]', 'nohost', 'we ird"x\\@x', 'a<b>c@x', 'ü@x', 'a..b@x'])(
    'can be %j',
    (address) => expect(isSendable(address)).toBe(true),
  );

  it.each([
    'joe@b.test\r\nRCPT TO:<eve@evil.test>',
    'jo\ne@b.test',
    'jo\0e@b.test',
    'jo\te@b.test',
    'jo\x7fe@b.test',
    'joe@b.test> NOTIFY=NEVER',
    'joe@b.test>',
    'joe@<b.test',
    'nohost> BODY=8BITMIME',
    'joe\ud800@b.test',
  ])('cannot be %j', (address) => expect(isSendable(address)).toBe(false));

  it('is international by any character beyond ASCII', () => {
    expect(['joe@b.test', 'ü@x', 'joe@müller.test'].map(isInternational)).toEqual([
      false,
      true,
      true,
    ]);
  });
});
