/** qmail-queue's protocol: the envelope on descriptor 1, and what exit codes mean (spec/qmail-queue.md §1). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { envelopeReader, formatEnvelope } from '../../../src/ingress/inject/queue-envelope.ts';
import { queueOutcome } from '../../../src/ingress/inject/queue-exit.ts';

const read = (text: string | Uint8Array) => {
  const reader = envelopeReader();
  return reader.push(Buffer.from(text as string)) ?? reader.end();
};

describe('an envelope', () => {
  const table: readonly [string, number][] = [
    ['', 54],
    ['Fs', 54],
    ['Fs\0', 54],
    ['Fs\0Tr\0', 54],
    ['\0', 91],
    ['Xs\0Tr\0\0', 91],
    ['Fs\0Xr\0\0', 91],
  ];
  it.each(table)('%j ends in exit code %i', (text, exit) => {
    expect(read(text)).toEqual({ exit });
  });
  it('is read no further than its end, and may have no recipients', () => {
    expect(read('Fs\0\0junk')).toEqual({ sender: 's', recipients: [] });
    expect(read('F\0T\0Ta b@c\0\0')).toEqual({ sender: '', recipients: ['', 'a b@c'] });
  });
  it('may have addresses of 1,002 bytes and no longer ones', () => {
    expect(read(`Fs\0T${'r'.repeat(1_002)}\0\0`)).toMatchObject({ sender: 's' });
    expect(read(`Fs\0T${'r'.repeat(1_003)}\0\0`)).toEqual({ exit: 11 });
    expect(read(`F${'s'.repeat(1_003)}\0\0`)).toEqual({ exit: 11 });
  });
  it('with bytes that are no text is refused for good rather than kept as something else', () => {
    expect(read(Buffer.from('Fs\0T\xff@x\0\0', 'latin1'))).toEqual({ exit: 31 });
  });
  it('reads as it was written, in any pieces', () => {
    const address = fc
      .string({ unit: 'grapheme', maxLength: 30 })
      .map((text) => text.replaceAll('\0', ''));
    fc.assert(
      fc.property(
        address,
        fc.array(address),
        fc.integer({ min: 1, max: 7 }),
        (sender, recipients, size) => {
          const bytes = formatEnvelope({ sender, recipients });
          const reader = envelopeReader();
          for (let at = 0; at < bytes.length; at += size) {
            const envelope = reader.push(bytes.subarray(at, at + size));
            if (envelope !== undefined) {
              expect(envelope).toEqual({ sender, recipients });
              expect(at + size).toBeGreaterThanOrEqual(bytes.length);
              return;
            }
          }
          throw new Error('the envelope did not end');
        },
      ),
    );
  });
});

describe("a queue program's exit code", () => {
  const table: readonly [number, string, string][] = [
    [0, 'queued', ''],
    [11, 'permanent', 'envelope address too long for qq (#5.1.3)'],
    [115, 'permanent', 'envelope address too long for qq (#5.1.3)'],
    [31, 'permanent', 'mail server permanently rejected message (#5.3.0)'],
    [12, 'permanent', 'qq permanent problem (#5.3.0)'],
    [40, 'permanent', 'qq permanent problem (#5.3.0)'],
    [51, 'temporary', 'qq out of memory (#4.3.0)'],
    [52, 'temporary', 'qq timeout (#4.3.0)'],
    [53, 'temporary', 'qq write error or disk full (#4.3.0)'],
    [54, 'temporary', 'qq read error (#4.3.0)'],
    [55, 'temporary', 'qq unable to read configuration (#4.3.0)'],
    [56, 'temporary', 'qq trouble making network connection (#4.3.0)'],
    [61, 'temporary', 'qq trouble in home directory (#4.3.0)'],
    [62, 'temporary', 'qq trouble creating files in queue (#4.3.0)'],
    [66, 'temporary', 'qq trouble creating files in queue (#4.3.0)'],
    [71, 'temporary', 'mail server temporarily rejected message (#4.3.0)'],
    [72, 'temporary', 'connection to mail server timed out (#4.4.1)'],
    [73, 'temporary', 'connection to mail server rejected (#4.4.1)'],
    [74, 'temporary', 'communication with mail server failed (#4.4.2)'],
    [81, 'temporary', 'qq internal bug (#4.3.0)'],
    [91, 'temporary', 'qq internal bug (#4.3.0)'],
    [120, 'temporary', 'unable to exec qq (#4.3.0)'],
    [1, 'temporary', 'qq temporary problem (#4.3.0)'],
    [99, 'temporary', 'qq temporary problem (#4.3.0)'],
  ];
  it.each(table)('%i is %s: %s', (exit, kind, text) => {
    expect(queueOutcome(exit)).toEqual({ kind, text });
  });
  it('82 lets the program say it in its own words, when they make sense', () => {
    expect(queueOutcome(82, 'Dno spam (#5.7.1)')).toEqual({
      kind: 'permanent',
      text: 'no spam (#5.7.1)',
    });
    expect(queueOutcome(82, 'Zlater')).toEqual({ kind: 'temporary', text: 'later' });
    expect(queueOutcome(82, 'Zx')).toMatchObject({ text: 'qq temporary problem (#4.3.0)' });
    expect(queueOutcome(82, 'Xlater')).toMatchObject({ text: 'qq temporary problem (#4.3.0)' });
    expect(queueOutcome(82, `D${'x'.repeat(400)}`).text).toHaveLength(254);
  });
});
