import { describe, expect, it } from '@jest/globals';
import { DeliveryReport } from '../../../src/delivery/local/report.ts';
import { toVerdict } from '../../../src/delivery/local/to-verdict.ts';
import { defer, fail } from '../../../src/delivery/local/halt.ts';

function report(...outputs: string[]): string {
  const it = new DeliveryReport();
  for (const output of outputs) it.addOutput(Buffer.from(output, 'latin1'));
  return it.text();
}

describe('a delivery report', () => {
  it('has all output in order', () => {
    expect(report('out\n', 'err\n')).toBe('out\nerr\n');
  });

  it('of 3000 bytes stays whole', () => {
    expect(report('x'.repeat(2000), 'y'.repeat(1000))).toBe('x'.repeat(2000) + 'y'.repeat(1000));
  });

  it('of more is cut to 2966 and says so', () => {
    const text = report('x'.repeat(2000), 'y'.repeat(1001), 'z');
    expect(text).toBe(`${'x'.repeat(2000)}${'y'.repeat(966)}\nError report too long, sorry.\n`);
  });

  it('ends at a NUL', () => {
    expect(report('seen\n\0unseen\n')).toBe('seen\n');
    expect(report(`seen\0${'x'.repeat(4000)}`)).toBe('seen');
  });

  it('shows what is no text as such', () => {
    expect(report('a\xffb')).toBe('a\ufffdb');
  });
});

describe('a verdict', () => {
  it('is delivered without a halt', () => {
    expect(toVerdict(new DeliveryReport())).toEqual({ kind: 'delivered', reply: { text: '' } });
  });

  it('has the status that our own words name, never a program’s', () => {
    expect(toVerdict(new DeliveryReport(), fail('Sorry. (#5.1.1)'))).toEqual({
      kind: 'failed',
      reply: { text: 'Sorry. (#5.1.1)\n', status: '5.1.1' },
    });
    const cut = new DeliveryReport();
    cut.addOutput(Buffer.from('said\0never seen'));
    // A program's NUL must not hide why the letter waits.
    expect(toVerdict(cut, defer('Timeout. (#4.3.0)')).reply.text).toBe('said\nTimeout. (#4.3.0)\n');
    const spoken = new DeliveryReport();
    spoken.addLine('Trust me (#2.0.0)');
    expect(toVerdict(spoken, defer(''))).toEqual({
      kind: 'deferred',
      reply: { text: 'Trust me (#2.0.0)\n' },
    });
  });
});
