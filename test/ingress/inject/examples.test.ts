/** The worked examples of spec/qmail-inject.md, section by section; produced there by the real qmail-inject. */
import { describe, expect, it } from '@jest/globals';
import { fieldsOf, hosts, inject, injected, type Case } from './mail.ts';

const heaven = { ...hosts, defaulthost: 'heaven.af.mil', defaultdomain: 'heaven.af.mil' };

describe('recipients (§1.1, §1.2)', () => {
  const table: readonly [string, string, Case, readonly string[]][] = [
    [
      'inside a field come from right to left, fields in order',
      'To: a, b, c\nCc: d, e\nBcc: f\n',
      {},
      ['c', 'b', 'a', 'e', 'd', 'f'].map((user) => `${user}@dh.dd.example`),
    ],
    ['may be nobody', 'Subject: x\n', {}, []],
    ['may be empty', 'To: <>\n', {}, ['']],
    ['are empty when a route leads nowhere', 'To: <@host>\n', {}, ['']],
    [
      'in an argument are one, whatever its commas',
      '',
      { args: ['a@x.y, b@x.y'] },
      ['a@x.y, b@x.y'],
    ],
    ['in an argument keep their brackets', '', { args: ['<a@x.y>'] }, ['<a@x.y>']],
    ['in an argument keep their blanks', '', { args: ['q r'] }, ['q r@dh.dd.example']],
    ['in an argument have their plus replaced', '', { args: ['w@x+'] }, ['w@x.plus.example']],
    ['in an argument keep their quotes', '', { args: ['"t"@u.v'] }, ['"t"@u.v']],
    [
      'of sendmail -t are arguments, then header',
      'To: a@x.y, b@x.y\n',
      { args: ['x@y'], from: 'both', controls: { ...hosts, defaultdomain: '' } },
      ['x@y.', 'b@x.y', 'a@x.y'],
    ],
    [
      'come from resent fields only once there are any',
      'Resent-To: r@x.y\nTo: orig@z.w\nBcc: b@z.w\n',
      {},
      ['r@x.y'],
    ],
  ];
  it.each(table)('%s', (_name, letter, given, recipients) => {
    expect(injected(letter, given).recipients).toEqual(recipients);
  });
});

describe('the sender (§2.1)', () => {
  const joe = (extra: Record<string, string> = {}): Case => ({
    env: { USER: 'joe', ...extra },
    controls: heaven,
  });
  const seconds = Date.UTC(2026, 10, 20, 23, 44, 4) / 1000;
  const table: readonly [string, string, Case, string][] = [
    ['is the user', '', joe(), 'joe@heaven.af.mil'],
    ['asks for VERP with r', '', joe({ QMAILINJECT: 'r' }), 'joe-@heaven.af.mil-@[]'],
    [
      'carries time and process with m',
      '',
      joe({ QMAILINJECT: 'm' }),
      `joe-${seconds}.1641@heaven.af.mil`,
    ],
    ['does both with mr', '', joe({ QMAILINJECT: 'mr' }), `joe-${seconds}.1641-@heaven.af.mil-@[]`],
    [
      'of a Return-Path gets its VERP, too',
      'Return-Path: <l@h.x>\n',
      joe({ QMAILINJECT: 'r' }),
      'l@h.x-@[]',
    ],
    ['of -f gets none', '', { ...joe({ QMAILINJECT: 'r' }), sender: 'l@h.x' }, 'l@h.x'],
    ['is the rightmost of a Return-Path', 'Return-Path: a@b.c, d@e.f\n', joe(), 'd@e.f'],
    ['may be empty', 'Return-Path: <>\n', joe(), ''],
    ['may be empty and ask for VERP', 'Return-Path: <>\n', joe({ QMAILINJECT: 'r' }), '-@[]'],
    [
      'of a Return-Path does not count with s',
      'Return-Path: <l@h.x>\n',
      joe({ QMAILINJECT: 's' }),
      'joe@heaven.af.mil',
    ],
    [
      'is of the first Return-Path that has an address',
      'Return-Path: (none)\nReturn-Path: a@b.c\nReturn-Path: d@e.f\n',
      joe(),
      'a@b.c',
    ],
    [
      'may have a user and a host of its own',
      '',
      joe({ QMAILSUSER: 'su', QMAILSHOST: 'sh.x' }),
      'su@sh.x',
    ],
    ['of -f may be empty', 'Return-Path: a@b.c\n', { ...joe(), sender: '' }, ''],
  ];
  it.each(table)('%s', (_name, letter, given, sender) => {
    expect(injected(letter, given).sender).toBe(sender);
  });
});

describe('the generated From (§2.2)', () => {
  const table: readonly [string, Record<string, string>, string][] = [
    ['is bare without a name', { USER: 'joe' }, 'joe@dh.dd.example'],
    ['has its name in quotes', { USER: 'joe', NAME: 'Joe' }, '"Joe" <joe@dh.dd.example>'],
    ['has an empty name in quotes, too', { USER: 'joe', NAME: '' }, '"" <joe@dh.dd.example>'],
    [
      'has its name in a comment with c',
      { USER: 'joe', NAME: 'Joe', QMAILINJECT: 'c' },
      'joe@dh.dd.example (Joe)',
    ],
    ['quotes a user that needs it', { USER: 'joe smith' }, '"joe smith"@dh.dd.example'],
    ['leaves a dotted user bare', { USER: 'joe.smith' }, 'joe.smith@dh.dd.example'],
    ['completes the host', { USER: 'joe', MAILHOST: 'x' }, 'joe@x.dd.example'],
    ['replaces a plus in the host', { USER: 'joe', MAILHOST: 'x+' }, 'joe@x.plus.example'],
    [
      'takes a host that is none as one word',
      { USER: 'joe', MAILHOST: 'x@y' },
      'joe@"x@y".dd.example',
    ],
    ['nor makes two of one with blanks', { USER: 'joe', MAILHOST: 'a b' }, 'joe@"a b".dd.example'],
    ['takes MAILHOST as a literal, too', { USER: 'joe', MAILHOST: '[1.2.3.4]' }, 'joe@[1.2.3.4]'],
    ['takes an address literal', { USER: 'joe', QMAILDEFAULTHOST: '[1.2.3.4]' }, 'joe@[1.2.3.4]'],
    ['is anonymous without a user', {}, 'anonymous@dh.dd.example'],
    [
      'takes QMAILUSER before MAILUSER',
      { QMAILUSER: 'q', MAILUSER: 'm', USER: 'u' },
      'q@dh.dd.example',
    ],
    ['takes MAILUSER before USER', { MAILUSER: 'm', USER: 'u', LOGNAME: 'l' }, 'm@dh.dd.example'],
    ['takes LOGNAME last', { LOGNAME: 'l' }, 'l@dh.dd.example'],
    [
      'takes QMAILNAME before MAILNAME',
      { USER: 'j', QMAILNAME: 'Q', MAILNAME: 'M', NAME: 'N' },
      '"Q" <j@dh.dd.example>',
    ],
  ];
  it.each(table)('%s', (_name, env, from) => {
    expect(fieldsOf(injected('', { env }).header, 'From')).toBe(`From: ${from}\n`);
  });
});

describe('the header ends (§3.1)', () => {
  const table: readonly [string, string, string, string][] = [
    ['at an empty line', 'A: b\n\nbody\n', 'A: b\n', '\nbody\n'],
    ['never, when the letter does', 'A: b\n', 'A: b\n', ''],
    ['with a last line that lacks its end', 'A: b', 'A: b\n', ''],
    ['before a line that is no field', 'A: b\nnot a header\nx\n', 'A: b\n', '\nnot a header\nx\n'],
    ['before a name with a blank in it', 'Bad Name: x\n', '', '\nBad Name: x\n'],
    ['before a field without a name', ': empty\n', '', '\n: empty\n'],
    ['at once, when the letter begins with a blank', ' A: b\n', '', '\n A: b\n'],
    ['before a CR LF, which is no empty line', 'A: b\r\n\r\nx\r\n', 'A: b\r\n', '\n\r\nx\r\n'],
    ['not with a line of mbox', 'From joe Fri\nA: b\n', 'MBOX-Line: From joe Fri\nA: b\n', ''],
    ['not with a continued field', 'A: b\n c\n\td\n\n', 'A: b\n c\n\td\n', '\n'],
  ];
  it.each(table)('%s', (_name, letter, header, body) => {
    const outcome = injected(letter);
    expect(outcome.header.endsWith(`Cc: recipient list not shown: ;\n${header}`)).toBe(true);
    expect(outcome.body).toBe(body);
  });
});

describe('a field (§3.1, table)', () => {
  const list = (names: string) => names.split(' ').map((name) => [name] as const);
  it.each(
    list(
      'To Cc Apparently-To Resent-To Resent-Cc Sender From Reply-To Return-Receipt-To Errors-To Resent-Sender Resent-From Resent-Reply-To',
    ),
  )('%s is rewritten and kept', (name) => {
    expect(fieldsOf(injected(`${name}: x, y\n`).header, name)).toBe(
      `${name}: x@dh.dd.example, y@dh.dd.example\n`,
    );
  });
  it.each(list('Bcc Resent-Bcc Return-Path Content-Length'))('%s is deleted', (name) => {
    expect(fieldsOf(injected(`${name}: 12\n`).header, name)).toBe('');
  });
  it.each(list('Date Message-ID Mail-Followup-To Received Subject'))(
    '%s stays as it is',
    (name) => {
      expect(fieldsOf(injected(`${name} :  x (y\n`).header.replace(' :', ':'), name)).toBe(
        `${name}:  x (y\n`,
      );
    },
  );
  it('keeps the spelling of its name', () => {
    expect(injected('to : a\n').header).toContain('to: a@dh.dd.example\n');
  });
  it('that names people and cannot be read refuses the letter', () => {
    expect(inject('From: a@b>\n\n')).toBe('unable to parse this line:\nFrom: a@b>\n');
    expect(inject('Return-Path: "a\n', { args: ['x@y.z'] })).toContain('Return-Path: "a');
  });
  it('of recipients that cannot be read stays, and gives what was read before the mistake', () => {
    const outcome = injected('To: x: a@b, c@d\n', { controls: { ...hosts, defaultdomain: '' } });
    expect(outcome.recipients.map((address) => address.replace(/\.$/, ''))).toEqual(['c@d', 'a@b']);
    expect(fieldsOf(outcome.header, 'To')).toBe('To: x: a@b, c@d\n');
    expect(outcome.doubtful).toEqual(['To: x: a@b, c@d\n']);
  });
  it('of blind copies is deleted even when it cannot be read', () => {
    const outcome = injected('To: a\nBcc: x: b@c.d\n');
    expect(outcome.header).not.toContain('Bcc');
    expect(outcome.recipients).toEqual(['a@dh.dd.example', 'b@c.d']);
  });
  it('of recipients that gives nobody at all refuses the letter, which would be lost', () => {
    expect(inject('To: "a@b.c\n')).toBe('unable to parse this line:\nTo: "a@b.c\n');
  });
  it('From or Message-ID goes with f or i', () => {
    const env = { USER: 'joe', QMAILINJECT: 'fi' };
    const { header } = injected('From: x@y.z\nMessage-ID: <old@x>\n', { env });
    expect(fieldsOf(header, 'From')).toBe('From: joe@dh.dd.example\n');
    expect(fieldsOf(header, 'Message-ID')).toBe(
      'Message-ID: <20261120234404.1641.qmail@id.example>\n',
    );
  });
});

describe('an address (§3.2)', () => {
  const table: readonly [string, string][] = [
    ['djb', 'djb@dh.dd.example'],
    ['djb@silver', 'djb@silver.dd.example'],
    ['a@b.c+', 'a@b.c.plus.example'],
    ['x@y+', 'x@y.plus.example'],
    ['z+', 'z+@dh.dd.example'],
    ['<@a,@b:user@host>', '<user@host.dd.example>'],
    ['<@foo:>', '<>'],
    ['a!b', 'a!b@dh.dd.example'],
    ['user@host.', 'user@host.dd.example'],
    ['a@[1.2.3.4]', 'a@[1.2.3.4]'],
    ['foo@[]', 'foo@[]'],
    ['a%b@c', 'a%b@c.dd.example'],
    ['@host', ''],
  ];
  it.each(table)('%s becomes %s', (before, after) => {
    const { header, recipients } = injected(`To: ${before}\n`);
    expect(fieldsOf(header, 'To')).toBe(after === '' ? 'To:\n' : `To: ${after}\n`);
    expect(recipients).toEqual([after.replace(/[<>]/g, '')]);
  });
});

describe('an address field (§3.3, §3.4)', () => {
  const plain = { ...hosts, defaulthost: 'dh.dd.example' };
  const table: readonly [string, string, number][] = [
    ['djb fred', 'djb@dh.dd.example, fred@dh.dd.example', 2],
    ['foo bar@x.y', 'foo@dh.dd.example, bar@x.y', 2],
    ['<a@b.c>c@d.e', '<a@b.c>, c@d.e', 2],
    ['a@b.c; d@e.f', 'a@b.c;, d@e.f', 2],
    ['a\\@b@c.d', 'a@b@c.d', 1],
    ['John Q. Public <a@b.c>', 'John Q.Public <a@b.c>', 1],
    ['<joe@x.y> (c)', '<joe@x.y>(c)', 1],
    [
      '"Joe \\"Q\\" Public" <joe@x.y> (comment (nested))',
      '"Joe \\"Q\\" Public" <joe@x.y>(comment nested)',
      1,
    ],
    [
      'random group: g@h, i@j;, k@l',
      'random group: g@h.dd.example, i@j.dd.example;, k@l.dd.example',
      3,
    ],
    ['a (c1) . b @ (c2) c . d', 'a.b@c.d (c1) (c2)', 1],
    ['Undisclosed recipients:;', 'Undisclosed recipients: ;', 0],
    ['a@b.c,,, d@e.f,', 'a@b.c, , , d@e.f,', 2],
    ['a@b.c d@e.f\n g@h.i', 'a@b.c, d@e.f, g@h.i', 3],
    ['joe\x01x@y.z', '"joe\x01x"@y.z', 1],
    ['j\xf6rg@y.z', '"j\xf6rg"@y.z', 1],
    ['a)b@y.z', '"a\\)b"@y.z', 1],
    ['a\\\\b@y.z', '"a\\\\b"@y.z', 1],
    ['a@b.c\r', 'a@b.c', 1],
  ];
  it.each(table)('%j is printed as %j', (before, after, count) => {
    const { header, recipients, doubtful } = injected(`To: ${before}\n`, { controls: plain });
    expect(fieldsOf(header, 'To')).toBe(`To: ${after}\n`);
    expect(recipients).toHaveLength(count);
    expect(doubtful).toEqual([]);
  });
  it.each(['"a', '(a', '[a', 'a)b (', ')', ']', 'a@b>', 'x: a@b', 'a; b; c', '"a\\'])(
    '%j cannot be read',
    (value) => {
      expect(inject(`From: ${value}\n`)).toBe(`unable to parse this line:\nFrom: ${value}\n`);
    },
  );
  it('without a value ends in its colon', () => {
    expect(injected('To:\n').header).toContain('\nTo:\n');
  });
  it.each([
    ['a "b c"@c.d, "a b"@c.d', ['a b@c.d']],
    ['a."b c".d@e.f', ['a.b c.d@e.f']],
  ])('%s has no quotes in the envelope', (value, ends) => {
    expect(injected(`To: ${value}\n`).recipients.slice(0, 1)).toEqual(ends);
  });
  it('is folded behind a comma, so that no line passes 78 bytes', () => {
    const address = (n: number) => `${'x'.repeat(n - 4)}@y.z`;
    const field = (...lengths: readonly number[]) =>
      fieldsOf(injected(`To: ${lengths.map(address).join(',')}\n`).header, 'To');
    // `To: ` and two commas and a blank are 7 bytes.
    expect(field(30, 41, 10)).toBe(`To: ${address(30)}, ${address(41)},\n  ${address(10)}\n`);
    expect(field(30, 42, 10)).toBe(`To: ${address(30)},\n  ${address(42)}, ${address(10)}\n`);
    expect(field(100)).toBe(`To: ${address(100)}\n`);
    expect(field(20, 76)).toBe(`To: ${address(20)},\n  ${address(76)}\n`);
  });
});

describe('what is added (§3.5, §4)', () => {
  it('stands in front, in its order', () => {
    expect(injected('Subject: x\n\n').header).toBe(
      'Date: 20 Nov 2026 23:44:04 -0000\n' +
        'Message-ID: <20261120234404.1641.qmail@id.example>\n' +
        'From: joe@dh.dd.example\n' +
        'Cc: recipient list not shown: ;\n' +
        'Subject: x\n',
    );
  });
  it('is nothing that is there already', () => {
    const letter = 'Date: d\nMessage-ID: m\nFrom: joe@x.y\nTo: a@b.c\n';
    expect(injected(letter).header).toBe(letter);
  });
  it('to a letter that was sent on is of its kind only', () => {
    const { header, recipients } = injected('Resent-To: r@x.y\nTo: orig@z.w\nBcc: b@z.w\n');
    expect(header).toBe(
      'Resent-Date: 20 Nov 2026 23:44:04 -0000\n' +
        'Resent-Message-ID: <20261120234404.1641.qmail@id.example>\n' +
        'Resent-From: joe@dh.dd.example\n' +
        'Resent-To: r@x.y\n' +
        'To: orig@z.w\n',
    );
    expect(recipients).toEqual(['r@x.y']);
    expect(injected('Resent-Bcc: r@x.y\n').header).toContain(
      'Resent-Cc: recipient list not shown: ;\n',
    );
  });
  it('is Mail-Followup-To, when a mailing list is among the recipients', () => {
    const letter = 'To: sos@heaven.af.mil, b@c.d\nCc: "x y"@z.z\n';
    const lists = new Set(['b@c.d']);
    expect(fieldsOf(injected(letter, { lists }).header, 'Mail-Followup-To')).toBe(
      'Mail-Followup-To: "x y"@z.z,\n  sos@heaven.af.mil,\n  b@c.d\n',
    );
    expect(
      fieldsOf(injected(letter, { lists: new Set(['q@c.d']) }).header, 'Mail-Followup-To'),
    ).toBe('');
    const answered = `Mail-Followup-To: me@x.y\n${letter}`;
    expect(fieldsOf(injected(answered, { lists }).header, 'Mail-Followup-To')).toBe(
      'Mail-Followup-To: me@x.y\n',
    );
    const sentOn = injected(`Resent-To: q@r.s\n${letter}`, { lists });
    expect(sentOn.header).not.toContain('Mail-Followup-To');
  });
  it('makes the full example (§6)', () => {
    const me = { ...hosts, defaulthost: 'heaven.af.mil', idhost: 'heaven.af.mil' };
    const outcome = injected('to: joe\n', { env: {}, controls: me });
    expect(outcome.sender).toBe('anonymous@heaven.af.mil');
    expect(outcome.header).toBe(
      'Date: 20 Nov 2026 23:44:04 -0000\n' +
        'Message-ID: <20261120234404.1641.qmail@heaven.af.mil>\n' +
        'From: anonymous@heaven.af.mil\n' +
        'to: joe@heaven.af.mil\n',
    );
    expect(outcome.body).toBe('');
  });
});

describe('a host to complete addresses with', () => {
  it('that cannot be read refuses every letter', () => {
    expect(inject('', { env: { QMAILDEFAULTHOST: '(' } })).toContain('unable to parse address');
  });
});
