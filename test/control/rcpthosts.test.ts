import { describe, expect, it } from '@jest/globals';
import { parseControls } from '../../src/control/controls.ts';
import { acceptsRecipient } from '../../src/control/rcpthosts.ts';

const rules = (texts: { [name: string]: string }) =>
  parseControls({ me: 'heaven.af.mil\n', ...texts }).controls;

describe('with rcpthosts a stranger', () => {
  const controls = rules({
    rcpthosts: 'heaven.af.mil\nlocalhost\n.wild.test\n',
    morercpthosts: 'More.test\n.more.test\n',
  });

  it.each([
    ['a@HEAVEN.af.mil', 'rcpthosts: heaven.af.mil'],
    ['b@sub.wild.test', 'rcpthosts: .wild.test'],
    ['b@a.sub.wild.test', 'rcpthosts: .wild.test'],
    ['b@wild.test', undefined],
    ['postmaster', 'no domain: envnoathost'],
    ['', 'no domain: envnoathost'],
    ['a@[9.9.9.9]', undefined],
    ['a@', undefined],
    ['a@heaven.af.mil.', undefined],
    ['a@heaven.af.mil@other.test', undefined],
    ['a%other.test@localhost', 'rcpthosts: localhost'],
    ['a@more.TEST', 'morercpthosts: more.test'],
    ['a@x.more.test', 'morercpthosts: .more.test'],
  ])('may send to %j: %p', (address, rule) => {
    expect(acceptsRecipient(address, controls)).toBe(rule);
  });

  it('may send to nobody with a domain when the file is empty', () => {
    const empty = rules({ rcpthosts: '', morercpthosts: 'more.test\n' });
    expect(acceptsRecipient('a@heaven.af.mil', empty)).toBeUndefined();
    expect(acceptsRecipient('postmaster', empty)).toBeDefined();
  });
});

describe('an empty entry', () => {
  it('never opens the relay', () => {
    const controls = { ...rules({}), rcpthosts: new Set(['']) };
    expect(acceptsRecipient('a@elsewhere.test', controls)).toBeUndefined();
    expect(acceptsRecipient('a@', controls)).toBeUndefined();
  });
});

describe('without rcpthosts a stranger', () => {
  const controls = rules({
    morercpthosts: 'more.test\n',
    percenthack: 'hack.test\n',
    locals: 'heaven.af.mil\nhack.test\n',
    virtualdomains: [
      'user@special.test:joe-special',
      '.sub.test:joe-sub',
      'exc.sub.test:',
      'virt.test:joe-v',
    ].join('\n'),
  });

  it.each([
    ['a@Heaven.AF.mil', 'locals: heaven.af.mil'],
    ['a@virt.test', 'virtualdomains: virt.test'],
    ['a@x.sub.test', 'virtualdomains: .sub.test'],
    ['a@exc.sub.test', undefined],
    ['a@sub.test', undefined],
    ['user@special.test', 'virtualdomains: user@special.test'],
    ['other@special.test', undefined],
    ['a@elsewhere.test', undefined],
    ['a@more.test', undefined],
    ['a@', undefined],
    ['a%elsewhere.test@hack.test', undefined],
    ['a%virt.test@hack.test', 'virtualdomains: virt.test'],
    ['postmaster', 'no domain: envnoathost'],
  ])('may send to %j: %p', (address, rule) => {
    const found = acceptsRecipient(address, controls);
    expect(found?.toLowerCase()).toBe(rule);
  });
});
