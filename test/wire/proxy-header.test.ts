import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readProxyHeader } from '../../src/wire/proxy-header.ts';
import { v1, v2, signature, tcp4 } from './proxy-bytes.ts';

const header = (bytes: Buffer, peer?: { readonly ip: string; readonly port: number }) => ({
  ...{ kind: 'header', bytes: bytes.length, peer },
});
const greeting = Buffer.from('EHLO x\r\n');

describe('a PROXY line (version 1)', () => {
  it.each([
    ['TCP4 192.0.2.7 198.51.100.1 56324 25', '192.0.2.7', 56_324],
    ['TCP4 255.255.255.255 255.255.255.255 65535 65535', '255.255.255.255', 65_535],
    ['TCP6 2001:DB8::7 ::1 1 25', '2001:db8::7', 1],
    ['TCP6 ::ffff:192.0.2.7 ::1 0 25', '192.0.2.7', 0],
  ])('%s names its client', (words, ip, port) => {
    const bytes = v1(words);
    expect(readProxyHeader(Buffer.concat([bytes, greeting]))).toEqual(header(bytes, { ip, port }));
  });

  it.each(['UNKNOWN', 'UNKNOWN ffff::1 ffff::2 65535 65535', 'UNKNOWN whatever it is'])(
    '%s is of nobody that it could name',
    (words) => expect(readProxyHeader(v1(words))).toEqual(header(v1(words))),
  );

  it.each([
    'TCP4 192.0.2.07 198.51.100.1 1 25',
    'TCP4 192.0.2.256 198.51.100.1 1 25',
    'TCP4 ::1 ::1 1 25',
    'TCP6 192.0.2.7 198.51.100.1 1 25',
    'TCP4 192.0.2.7 198.51.100.1 65536 25',
    'TCP4 192.0.2.7 198.51.100.1 01 25',
    'TCP4 192.0.2.7 198.51.100.1 25',
    'TCP4  192.0.2.7 198.51.100.1 1 25',
    'TCP4 192.0.2.7 198.51.100.1 1 25 ',
    'tcp4 192.0.2.7 198.51.100.1 1 25',
    'UDP4 192.0.2.7 198.51.100.1 1 25',
    'UNKNOWNS',
    '',
    `UNKNOWN ${'x'.repeat(100)}`,
  ])('%j is none', (words) => {
    expect(readProxyHeader(v1(words))).toMatchObject({ kind: 'bad' });
  });

  it('has an end within 107 bytes, or never', () => {
    expect(readProxyHeader(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`))).toMatchObject({
      ...{ kind: 'header', bytes: 107 },
    });
    expect(readProxyHeader(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)).kind).toBe('bad');
    expect(readProxyHeader(Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 1 25\n')).kind).toBe(
      'more',
    );
  });
});

describe('a PROXY header in bytes (version 2)', () => {
  it.each([
    ['TCP over IPv4', tcp4, { ip: '192.0.2.7', port: 56_324 }],
    ['with remarks behind the addresses', v2(0x21, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x19\x04\0\x01x'), { ip: '192.0.2.7', port: 56_324 }],
    ['TCP over IPv6', v2(0x21, 0x21, `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x07${'\0'.repeat(15)}\x01\x01\0\0\x19`), { ip: '2001:db8::7', port: 256 }],
    ['IPv4 inside IPv6', v2(0x21, 0x21, `${'\0'.repeat(10)}\xff\xff\xc0\0\x02\x07${'\0'.repeat(15)}\x01\x01\0\0\x19`), { ip: '192.0.2.7', port: 256 }],
    ['LOCAL', v2(0x20, 0, ''), undefined],
    ['LOCAL, whatever it says of addresses', v2(0x20, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x19'), undefined],
    ['of an unknown family', v2(0x21, 0, 'whatever'), undefined],
  ])('%s is understood', (_what, bytes, peer) => {
    expect(readProxyHeader(Buffer.concat([bytes, greeting]))).toEqual(header(bytes, peer));
  }); // prettier-ignore

  it.each([
    ['of version 1', v2(0x11, 0x11, 'x'.repeat(12))],
    ['with command 2', v2(0x22, 0x11, 'x'.repeat(12))],
    ['of UDP', v2(0x21, 0x12, 'x'.repeat(12))],
    ['of a socket in the file system', v2(0x21, 0x31, 'x'.repeat(216))],
    ['whose addresses are cut off', v2(0x21, 0x11, 'x'.repeat(11))],
    ['whose IPv6 addresses are cut off', v2(0x21, 0x21, 'x'.repeat(35))],
    ['that is too long', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
  ])('one %s is none', (_what, bytes) => {
    expect(readProxyHeader(bytes).kind).toBe('bad');
  });
});

describe('any bytes', () => {
  it('may come in any pieces: nothing is known before the last byte of the header', () => {
    for (const bytes of [v1('TCP4 192.0.2.7 198.51.100.1 56324 25'), tcp4, v2(0x20, 0, '')]) {
      for (let length = 0; length < bytes.length; length += 1)
        expect(readProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'more' });
    }
  });

  it('are refused as soon as they can be no header', () => {
    for (const text of ['E', 'PROXX', 'PROXY\r', 'proxy ', '\r\n\r\r', '\n'])
      expect(readProxyHeader(Buffer.from(text)).kind).toBe('bad');
  });

  it('never throw', () => {
    const beginnings = [Buffer.alloc(0), Buffer.from('PROXY '), signature];
    fc.assert(
      fc.property(
        fc.constantFrom(...beginnings),
        fc.uint8Array({ maxLength: 200 }),
        (from, rest) => {
          const told = readProxyHeader(Buffer.concat([from, rest]));
          expect(['more', 'bad', 'header']).toContain(told.kind);
        },
      ),
    );
  });
});
