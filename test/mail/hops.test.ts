import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hopCounter } from '../../src/mail/hops.ts';
import { countHops } from '../support/count-hops.ts';

const encode = (text: string) => new TextEncoder().encode(text);

describe('hops', () => {
  it.each([
    ['Received: from a\r\n\r\n', 1],
    ['Received-SPF: pass\r\n\r\n', 1],
    ['dElIvErEdX\r\n\r\n', 1],
    ['DELIVERED-TO: x\r\nreceived\r\n\r\n', 2],
    ['X-Received: no\r\n\r\n', 0],
    [' Received: folded\r\n\r\n', 0],
    ['Receive\r\nDelivere\r\n\r\n', 0],
    ['Subject: x\r\n\r\nReceived: in the body\r\n', 0],
    ['Received: a\nDelivered-To: b\n\nReceived: body\n', 2],
    ['\r\nReceived: body\r\n', 0],
    ['\rReceived: x\r\nReceived: y\r\n', 1],
    ['R\u0005ceived: x\r\n', 0],
    ['Received', 1],
    ['', 0],
  ])('of %j are %d', (letter, hops) => {
    expect(countHops(encode(letter))).toBe(hops);
  });

  it('are the same however the bytes arrive', () => {
    const piece = fc.constantFrom('Received: x', 'DELIVERED', 'rec', '\r', '\n', '\r\n', 'a');
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(40)), (pieces, cuts) => {
        const bytes = encode(pieces.join(''));
        const counter = hopCounter();
        let at = 0;
        for (const size of [...cuts, bytes.length]) {
          counter.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(counter.hops).toBe(countHops(bytes));
      }),
    );
  });

  it('are counted to the end of the header and no further', () => {
    const counter = hopCounter();
    counter.push(encode('Received: a\r\n\r'));
    expect(counter.headerEnded).toBe(false);
    counter.push(encode('\nReceived: b\r\n'));
    expect(counter.headerEnded).toBe(true);
    expect(counter.hops).toBe(1);
  });
});
