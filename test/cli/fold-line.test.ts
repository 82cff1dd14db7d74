import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { foldLine } from '../../src/cli/fold-line.ts';

describe('a line on a terminal', () => {
  it('stays as it is where it fits', () => {
    expect(foldLine('  a letter  waits', 17)).toBe('  a letter  waits');
  });

  it('hangs below its beginning where it does not', () => {
    expect(foldLine('  0 <you@nowhere.test>: due in 6 min; tried once', 30)).toBe(
      '  0 <you@nowhere.test>: due in\n      6 min; tried once',
    );
  });

  it('keeps an id or a digest whole, to be copied', () => {
    const digest = '5'.repeat(64);
    expect(foldLine(`      body sha256 ${digest}`, 40)).toBe(
      `      body sha256\n          ${digest}`,
    );
  });

  it('loses no word, and is as narrow as its words allow', () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }));
    fc.assert(
      fc.property(fc.nat(20), words, fc.integer({ min: 1, max: 60 }), (indent, all, columns) => {
        const text = ' '.repeat(indent) + all.join(' ');
        const lines = foldLine(text, columns).split('\n');
        expect(lines.join(' ').split(/ +/).join(' ').trim()).toBe(
          text.split(/ +/).join(' ').trim(),
        );
        for (const line of lines.filter((each) => each.length > columns)) {
          expect(line.trim()).not.toContain(' ');
        }
      }),
    );
  });
});
