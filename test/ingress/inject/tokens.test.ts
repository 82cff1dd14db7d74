/** Properties of the grammar: whatever bytes a header holds, nothing throws and no address is lost unseen. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseAddressList } from '../../../src/ingress/inject/address-list.ts';
import { headerReader } from '../../../src/ingress/inject/header-reader.ts';
import { printField, toBare } from '../../../src/ingress/inject/print-tokens.ts';
import { isWord, tokenize } from '../../../src/mail/address-tokens.ts';
import { fieldsOf, inject, injected } from './mail.ts';

/** Bytes, most of them those that the grammar cares about. */
const nasty = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...'ab@@..,,<<>>::;;()()""[]\\ \t\n\r+\0\xff') },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
      },
    ),
    { maxLength: 60 },
  )
  .map((letters) => letters.join(''));

const mailbox = fc
  .record({
    local: fc.stringMatching(/^[a-z0-9!#$%&'*/=?^_`{|}~-]{1,12}$/),
    host: fc.stringMatching(/^[a-z]{1,8}\.[a-z]{2,5}$/),
  })
  .map(({ local, host }) => `${local}@${host}`);

const decorate = (address: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    address,
    `<${address}>`,
    `Joe Q. Public <${address}>`,
    `"a, b <c@d.e>" <${address}>`,
    `${address} (a (nested) comment, x@y.z)`,
    `<@route.a,@route.b:${address}>`,
    address.replace('@', ' @\n '),
  );

describe('any bytes in an address field', () => {
  it('never make the grammar throw, and every word of theirs is in a token', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const tokens = tokenize(text);
        if (tokens === undefined) return;
        const list = parseAddressList(tokens, (address) => address);
        // Nothing is lost on the way: the same tokens come out, with commas added at most.
        const count = (from: typeof tokens) => from.filter(({ kind }) => kind !== ',').length;
        if (list.tokens !== undefined) expect(count(list.tokens)).toBe(count(tokens));
      }),
      { numRuns: 2_000 },
    );
  });
  it('are printed as fields that read the same again', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        // A backslash before `@` or `.` is qmail's own loss; a line end in a word is unfolded.
        fc.pre(!/\\[@.]/.test(text) && !/[\r\n]/.test(text));
        const list = parseAddressList(tokenize(text) ?? [], (address) => address);
        if (list.tokens === undefined) return;
        const field = printField('To', list.tokens);
        const again = parseAddressList(tokenize(field.slice(3))!, (address) => address);
        expect(again.addresses.map(toBare)).toEqual(list.addresses.map(toBare));
        expect(printField('To', again.tokens!)).toBe(field);
      }),
      { numRuns: 2_000 },
    );
  });
  it('never begin a header line of their own', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const outcome = inject(`To: ${value.replace(/\n(?![ \t])/g, '\n ')}\nSubject: last\n`);
        if (typeof outcome === 'string') return;
        const names = outcome.header
          .slice(0, -1)
          .split(/\n(?![ \t])/)
          .map((line) => /^[^:]*/.exec(line)![0]);
        const added = ['Date', 'Message-ID', 'From'];
        expect(names).toEqual([...added, 'To', 'Subject']);
      }),
      { numRuns: 2_000 },
    );
  });
  it('either give every address to the envelope, or are told to the caller', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const text = value.replace(/\n(?![ \t])/g, '\n ');
        const outcome = inject(`To: ${text}\n`);
        if (typeof outcome === 'string') return;
        // With an address in it somewhere, the field gives recipients, or is called doubtful.
        const words = (tokenize(text) ?? []).filter(
          (token) => isWord(token) && token.kind !== 'comment',
        );
        const grouped = /[:;]/.test(text);
        if (words.length > 0 && !grouped && outcome.doubtful.length === 0) {
          expect(outcome.recipients.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a list of mailboxes', () => {
  it('gives each of them to the envelope once, rightmost first, whatever stands around them', () => {
    fc.assert(
      fc.property(
        fc.array(
          mailbox.chain((address) => fc.tuple(fc.constant(address), decorate(address))),
          { minLength: 1, maxLength: 12 },
        ),
        (boxes) => {
          const field = `To: ${boxes.map(([, text]) => text).join(', ')}\n`;
          const { recipients, header } = injected(field);
          expect(recipients).toEqual(boxes.map(([address]) => address).reverse());
          // And the field that is sent says the same.
          expect(injected(fieldsOf(header, 'To')).recipients).toEqual(recipients);
        },
      ),
    );
  });
  it('keeps every line at 78 bytes where there are commas enough', () => {
    fc.assert(
      fc.property(fc.array(mailbox, { minLength: 1, maxLength: 40 }), (boxes) => {
        const { header } = injected(`To: ${boxes.join(',')}\n`);
        for (const line of fieldsOf(header, 'To').split('\n'))
          expect(line.length).toBeLessThanOrEqual(78);
      }),
    );
  });
});

describe('a header in pieces', () => {
  it('reads the same however it is cut', () => {
    const lines = fc.constantFrom(
      'A: b\n',
      ' more\n',
      'From x\n',
      '\n',
      'no field\n',
      'Long: \xff\0\r\n',
      'end',
    );
    fc.assert(
      fc.property(
        fc.array(lines, { maxLength: 12 }).map((all) => all.join('')),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 60 }),
        (letter, cuts) => {
          const whole = headerReader();
          const expected = whole.push(letter) ?? whole.end();
          const pieces = headerReader();
          let at = 0;
          let header;
          for (const cut of [...cuts, letter.length]) {
            if (at >= letter.length || header !== undefined) break;
            header = pieces.push(letter.slice(at, at + cut));
            at += cut;
          }
          const read = header ?? pieces.end();
          // What has not been read yet still follows.
          const rest = header === undefined ? read.rest : read.rest + letter.slice(at);
          expect({ fields: read.fields, rest }).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});
