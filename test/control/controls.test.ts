import { describe, expect, it } from '@jest/globals';
import { parseControls } from '../../src/control/controls.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';

const controlsOf = (texts: { [name: string]: string }) => parseControls(texts).controls;
const me = { me: 'mail.demo.test\n' };

describe('control files', () => {
  it.each([
    ['badmailfrom', new Set()],
    ['bouncefrom', 'MAILER-DAEMON'],
    ['bouncehost', 'mail.demo.test'],
    ['concurrencyincoming', undefined],
    ['concurrencylocal', 10],
    ['concurrencyremote', 20],
    ['databytes', 0],
    ['defaultdelivery', undefined],
    ['defaultdomain', 'mail.demo.test'],
    ['defaulthost', 'mail.demo.test'],
    ['doublebouncehost', 'mail.demo.test'],
    ['doublebounceto', 'postmaster'],
    ['envnoathost', 'mail.demo.test'],
    ['helohost', 'mail.demo.test'],
    ['idhost', 'mail.demo.test'],
    ['localiphost', 'mail.demo.test'],
    ['locals', new Set(['mail.demo.test'])],
    ['morercpthosts', new Set()],
    ['outgoingip', undefined],
    ['percenthack', new Set()],
    ['plusdomain', 'mail.demo.test'],
    ['qmqpservers', new Set()],
    ['queuelifetime', 604_800],
    ['rcpthosts', undefined],
    ['smtpgreeting', 'mail.demo.test'],
    ['smtproutes', new Map()],
    ['timeoutconnect', 60],
    ['timeoutremote', 1200],
    ['timeoutsmtpd', 1200],
    ['virtualdomains', new Map()],
  ] as const)('without %s mean %p', (name, value) => {
    const found: unknown = controlsOf(me)[name];
    if (value instanceof Set) expect([...(found as Set<string>)]).toEqual([...value]);
    else if (value instanceof Map) expect((found as Map<string, string>).size).toBe(0);
    else expect(found).toBe(value);
  });

  it.each([
    ['bouncehost', 'bouncehost'],
    ['defaultdomain', 'defaultdomain'],
    ['defaulthost', 'defaulthost'],
    ['doublebouncehost', 'doublebouncehost'],
    ['envnoathost', 'envnoathost'],
    ['idhost', 'idhost'],
    ['plusdomain', 'plusdomain'],
    ['localiphost', undefined],
    ['me', undefined],
  ] as const)('without me mean for %s: %p', (name, value) => {
    const needed = { locals: 'a.test\n', helohost: 'h.test\n', smtpgreeting: 'g.test\n' };
    expect(controlsOf(needed)[name]).toBe(value);
  });

  it.each(['locals', 'helohost', 'smtpgreeting'])('need me or %s', (missing) => {
    const texts: { [name: string]: string } = { locals: '', helohost: 'h', smtpgreeting: 'g' };
    delete texts[missing];
    expect(() => parseControls(texts)).toThrow(ControlMistake);
    expect(() => parseControls(texts)).toThrow(`control/${missing}: missing, and so is me`);
  });

  it('warn of a name that no other server would take', () => {
    const warned = (texts: { [name: string]: string }) =>
      parseControls({ rcpthosts: '', locals: '', ...texts }).warnings;
    expect(warned({ me: 'mail.demo.test\n', helohost: '[192.0.2.1]\n' })).toEqual([]);
    expect(warned({ me: '\n' })).toMatchObject([
      { file: 'control/me', message: 'empty: other servers want a name' },
    ]);
    expect(warned({ ...me, helohost: 'a b\x1b\n' })).toMatchObject([
      { file: 'control/helohost', message: 'no name of a host: "a b\x1b"' },
    ]);
  });

  it('take an empty file for an empty value, not for a missing one', () => {
    const { locals, rcpthosts, doublebounceto, helohost } = controlsOf({
      ...me,
      ...{ locals: '', rcpthosts: '', doublebounceto: '', helohost: '\n' },
    });
    expect([locals.size, rcpthosts?.size, doublebounceto, helohost]).toEqual([0, 0, '', '']);
  });

  it('take an empty me for an empty default', () => {
    expect(controlsOf({ me: '' }).bouncehost).toBe('');
  });

  it('keep the default for what is no number, and say so', () => {
    const { controls, warnings } = parseControls({ ...me, concurrencyremote: 'many\n' }, '/c');
    expect(controls.concurrencyremote).toBe(20);
    expect(warnings).toEqual([
      { file: '/c/concurrencyremote', line: 1, message: 'not a number: the default stays' },
    ]);
  });

  it('never let a timeout be nothing or more than a timer holds', () => {
    expect(controlsOf({ ...me, timeoutsmtpd: '0\n' }).timeoutsmtpd).toBe(1);
    expect(controlsOf({ ...me, timeoutremote: '9999999999\n' }).timeoutremote).toBe(2_147_483);
  });

  it.each([
    ['virtualdomains', 'nocolon.test\n', 1, 'no colon: the line is ignored'],
    ['smtproutes', '# x\n:relay:0\n', 2, 'no port from 1 to 65535 in "relay:0": it never connects'],
    ['smtproutes', ':relay:\n', 1, 'no port from 1 to 65535 in "relay:": it never connects'],
    ['smtproutes', 'a:r:70000\n', 1, 'no port from 1 to 65535 in "r:70000": it never connects'],
    ['qmqpservers', '127.0.0.1\nhost\n', 2, 'not an IP address: the line is ignored'],
    ['outgoingip', 'host\n', 1, 'not an IP address: the file is ignored'],
    ['queuelifetime', '7d\n', 1, 'only the leading digits count: 7'],
    ['tcp.smtp', '127.0.0.1\n', 1, 'no colon: the line is ignored'],
    ['morercpthosts', ' a.test\n', 1, 'the line begins with blanks, which count as part of it'],
  ])('say about %s of %j, line %d: %s', (file, text, line, message) => {
    const { warnings } = parseControls({ ...me, [file]: text });
    expect(warnings).toEqual([{ file: `control/${file}`, line, message }]);
  });

  it('say what they mean together that nobody means', () => {
    const { warnings } = parseControls({
      ...me,
      locals: 'a.test\nb.test\n',
      rcpthosts: 'b.test\n',
      virtualdomains: 'a.test:joe\n',
      percenthack: 'b.test\n',
    });
    expect(warnings.map(({ file }) => file)).toEqual([
      'control/rcpthosts',
      'control/virtualdomains',
      'control/percenthack',
    ]);
  });

  it('stop at an access rule that means nothing', () => {
    expect(() => parseControls({ ...me, 'tcp.smtp': ':allow\n127.:perhaps\n' }, '/c')).toThrow(
      '/c/tcp.smtp:2: unable to parse this line: "127.:perhaps"',
    );
  });
});
