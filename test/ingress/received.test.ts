import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatReceived, maskUnsafe } from '../../src/ingress/received.ts';

const parts = {
  protocol: 'ESMTP' as const,
  ip: '127.0.0.1',
  me: 'mx.demo.test',
  id: '019aa2b5-0000-7000-8000-000000000000',
  at: Date.UTC(2026, 10, 20, 23, 48, 1),
};
const end = `  by mx.demo.test with ESMTP id ${parts.id}; 20 Nov 2026 23:48:01 -0000\r\n`;

describe('a Received field', () => {
  it.each([
    [{ helo: 'client.test' }, 'unknown (HELO client.test) (127.0.0.1)'],
    [{ host: 'client.test', helo: 'CLIENT.test' }, 'client.test (127.0.0.1)'],
    [{ host: 'one.test', helo: 'two.test' }, 'one.test (HELO two.test) (127.0.0.1)'],
    [{ helo: '' }, 'unknown (HELO ) (127.0.0.1)'],
    [{}, 'unknown (127.0.0.1)'],
    [{ info: 'joe' }, 'unknown (joe@127.0.0.1)'],
    [{ info: 'a)\r\nb' }, 'unknown (a???b@127.0.0.1)'],
    [{ helo: 'a b)\r\nX-Evil: (c' }, 'unknown (HELO a?b???X-Evil:??c) (127.0.0.1)'],
    [{ helo: 'münchen.test' }, 'unknown (HELO m??nchen.test) (127.0.0.1)'],
    [{ helo: '[1.2.3.4]', ip: '2001:db8::1' }, 'unknown (HELO [1.2.3.4]) (2001:db8::1)'],
  ])('of %j says %s', (changes, says) => {
    expect(formatReceived({ ...parts, ...changes })).toBe(`Received: from ${says}\r\n${end}`);
  });

  it('has two lines whatever the client calls itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (helo) => {
        const field = formatReceived({ ...parts, helo });
        expect(field).toMatch(/^Received: [ -~]*\r\n {2}by [ -~]*\r\n$/);
        expect(maskUnsafe(helo)).toHaveLength(Buffer.byteLength(helo.toWellFormed(), 'utf8'));
      }),
    );
  });
});
