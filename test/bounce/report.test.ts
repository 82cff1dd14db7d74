import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bounceEnvelope, formatBounceHead, formatParagraph } from '../../src/bounce/report.ts';
import type { BounceSettings, Failure } from '../../src/bounce/report.ts';

const settings: BounceSettings = {
  bouncefrom: 'MAILER-DAEMON',
  bouncehost: 'heaven.af.mil',
  doublebounceto: 'postmaster',
  doublebouncehost: 'heaven.af.mil',
  virtualdomains: new Map([
    ['special.test', 'fred-sp'],
    ['user@special.test', 'joe-special'],
  ]),
};
const at = Date.UTC(2026, 10, 20, 23, 48, 1);

function head(returnPath: string, failures: readonly Failure[], changed = settings): string {
  const envelope = bounceEnvelope(returnPath, changed);
  if (envelope.kind === 'discard') throw new Error('nobody to tell');
  return formatBounceHead({ at, returnPath, envelope, failures, settings: changed });
}

const lines = (...text: string[]) => text.map((line) => `${line}\r\n`).join('');

describe('a failed letter', () => {
  it.each([
    ['x@y', 'bounce', '', 'x@y'],
    ['pre@host-@[]', 'bounce', '', 'pre@host'],
    ['joe-own-@heaven.af.mil-@[]', 'bounce', '', 'joe-own-@heaven.af.mil'],
    ['joe', 'bounce', '', 'joe'],
    ['', 'double-bounce', '#@[]', 'postmaster@heaven.af.mil'],
    ['-@[]', 'double-bounce', '#@[]', 'postmaster@heaven.af.mil'],
  ])('from %j asks for a %s from %j to %j', (from, kind, returnPath, recipient) => {
    expect(bounceEnvelope(from, settings)).toEqual({ kind, returnPath, recipient });
  });

  it('that was a double bounce itself tells nobody', () => {
    expect(bounceEnvelope('#@[]', settings).kind).toBe('discard');
  });

  it('goes to nobody twice when doublebounceto is empty', () => {
    const muted = { ...settings, doublebounceto: '' };
    expect(bounceEnvelope('', muted)).toMatchObject({ recipient: '@heaven.af.mil' });
  });
});

describe('a bounce', () => {
  it('says byte for byte what qmail-send says', () => {
    const failures = [
      { address: 'nosuch@b.test', text: 'Sorry, no mailbox here by that name. (#5.1.1)\n' },
      { address: 'fred-sp-other@special.test', text: '' },
    ];
    expect(head('joe@a.test', failures)).toBe(
      lines(
        'Date: 20 Nov 2026 23:48:01 -0000',
        'From: MAILER-DAEMON@heaven.af.mil',
        'To: joe@a.test',
        'Subject: failure notice',
        '',
        'Hi. This is the qmail-send program at heaven.af.mil.',
        "I'm afraid I wasn't able to deliver your message to the following addresses.",
        "This is a permanent error; I've given up. Sorry it didn't work out.",
        '',
        '<nosuch@b.test>:',
        'Sorry, no mailbox here by that name. (#5.1.1)',
        '',
        '<other@special.test>:',
        '',
        '--- Below this line is a copy of the message.',
        '',
        'Return-Path: <joe@a.test>',
      ),
    );
  });

  it('of a bounce goes to the postmaster with other words', () => {
    expect(head('', [{ address: 'joe@a.test', text: 'no' }])).toBe(
      lines(
        'Date: 20 Nov 2026 23:48:01 -0000',
        'From: MAILER-DAEMON@heaven.af.mil',
        'To: postmaster@heaven.af.mil',
        'Subject: failure notice',
        '',
        'Hi. This is the qmail-send program at heaven.af.mil.',
        'I tried to deliver a bounce message to this address, but the bounce bounced!',
        '',
        '<joe@a.test>:',
        'no',
        '',
        '--- Below this line is the original bounce.',
        '',
        'Return-Path: <>',
      ),
    );
  });

  it('quotes what needs it and cuts the mark of a VERP sender', () => {
    const text = head('a b@c.test-@[]', [], { ...settings, bouncefrom: 'Mail System' });
    expect(text).toContain('\r\nFrom: "Mail System"@heaven.af.mil\r\n');
    expect(text).toContain('\r\nTo: "a b"@c.test\r\n');
    expect(text).toMatch(/\r\nReturn-Path: <"a b"@c\.test>\r\n$/);
  });

  it('says why it gave up on a deferral', () => {
    const text = head('joe@a.test', [{ address: 'x@dead.test', text: 'busy\n', expired: true }]);
    expect(text).toContain(
      lines(
        '<x@dead.test>:',
        'busy',
        "I'm not going to try again; this message has been in the queue too long.",
        '',
      ),
    );
  });

  it('says so only once', () => {
    const said = "I'm not going to try again; this message has been in the queue too long.\n";
    const failure = { address: 'r', text: said, expired: true };
    expect(formatParagraph(failure, settings)).toBe(`<r>:\n${said}\n`);
    expect(formatParagraph({ ...failure, text: '' }, settings)).toBe(`<r>:\n${said}\n`);
  });
});

describe('a paragraph', () => {
  it.each([
    ['r', 'a\n\n\nb\n\nc', '<r>:\na\n//b\n/c\n\n'],
    ['r', '', '<r>:\n\n'],
    ['r', 'a', '<r>:\na\n\n'],
    ['r', 'a\n', '<r>:\na\n\n'],
    ['r', 'a\n\n', '<r>:\na\n\n\n'],
    ['r', '\na\n', '<r>:\n/a\n\n'],
    ['r', '\n', '<r>:\n\n\n'],
    ['a\nb@c', 'x', '<a_b@c>:\nx\n\n'],
    ['a b@c', 'x', '<a b@c>:\nx\n\n'],
    ['joe-special-user@special.test', 'x', '<joe-special-user@special.test>:\nx\n\n'],
    ['fred-sp-user@special.test', 'x', '<user@special.test>:\nx\n\n'],
    ['r', 'a\r\nb\rc\0', '<r>:\na\nb?c?\n\n'],
  ])('on %j with report %j is %j', (address, text, paragraph) => {
    expect(formatParagraph({ address, text }, settings)).toBe(paragraph);
  });

  it('cannot be ended by a report before its end, nor fake the break', () => {
    const report = fc
      .array(fc.constantFrom('\n', '\r', '-', '<x>:', 'a', '\0'))
      .map((b) => b.join(''));
    fc.assert(
      fc.property(report, (text) => {
        const paragraph = formatParagraph({ address: 'r@h', text }, settings);
        expect(paragraph.startsWith('<r@h>:\n')).toBe(true);
        expect(paragraph.indexOf('\n\n')).toBeGreaterThanOrEqual(paragraph.length - 3);
        expect(paragraph.endsWith('\n\n')).toBe(true);
      }),
    );
  });

  it('leaves no line end on its own in the stored body', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (address, text) => {
        const stored = head(`${address}x`, [{ address, text }]);
        expect(stored.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
      }),
    );
  });
});
