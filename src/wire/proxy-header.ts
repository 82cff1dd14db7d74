/**
 * What a load balancer puts before a connection to say whose it is: versions 1 and 2 of the PROXY protocol
 * (haproxy.org, proxy-protocol.txt of 2020). A function from the bytes so far; what follows the header is left alone.
 */
import { isIpv4, normalizeIp } from '../mail/ip-address.ts';

export type ProxyPeer = { readonly ip: string; readonly port: number };

export type ProxyHeader =
  /** It may still become one. */
  | { readonly kind: 'more' }
  /** No header; `why` holds none of the bytes. */
  | { readonly kind: 'bad'; readonly why: string }
  /** Of so many bytes. Without a peer the connection is the balancer's own, or it does not know whose. */
  | { readonly kind: 'header'; readonly bytes: number; readonly peer: ProxyPeer | undefined };

const more: ProxyHeader = { kind: 'more' };
const bad = (why: string): ProxyHeader => ({ kind: 'bad', why });

/** §2.1: a line of version 1 has 107 bytes at most, its end included. */
const longestLine = 107;
/** Addresses take 36 bytes; the rest is a balancer's remarks, which may hold a client's certificate. */
const longestBlock = 16_384;

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const word = Buffer.from('PROXY ', 'latin1');

export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsAs(bytes, signature)) return bytes.length < 16 ? more : version2(bytes);
  return beginsAs(bytes, word) ? version1(bytes) : bad('no PROXY header');
}

/** As far as there are bytes. */
const beginsAs = (bytes: Buffer, wanted: Buffer): boolean => {
  const length = Math.min(bytes.length, wanted.length);
  return bytes.subarray(0, length).equals(wanted.subarray(0, length));
};

const tcp = /^PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;

/** §2.1: `PROXY TCP4 192.0.2.7 198.51.100.1 56324 25`, or `PROXY UNKNOWN` and whatever else. */
function version1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n', 0, 'latin1');
  if (end < 0) return bytes.length < longestLine ? more : bad('a PROXY line without an end');
  const line = bytes.toString('latin1', 0, end);
  const header = (peer: ProxyPeer | undefined): ProxyHeader => ({
    ...{ kind: 'header', bytes: end + 2, peer },
  });
  if (/^PROXY UNKNOWN( |$)/.test(line)) return header(undefined);
  const [, family, from = '', to = '', port] = tcp.exec(line) ?? [];
  if (family === undefined) return bad('a PROXY line that says nothing we know');
  const isOfFamily = (text: string): boolean =>
    family === '4' ? isIpv4(text) : text.includes(':') && normalizeIp(text) !== undefined;
  if (!isOfFamily(from) || !isOfFamily(to) || Number(port) > 65_535)
    return bad('a PROXY line with an address or port that is none');
  return header({ ip: normalizeIp(from)!, port: Number(port) });
}

/** §2.2: the signature, version and command, family, the length of the rest in two bytes, addresses, remarks. */
function version2(bytes: Buffer): ProxyHeader {
  const command = bytes[12]!;
  const family = bytes[13]!;
  const length = bytes.readUInt16BE(14);
  if (command >> 4 !== 2) return bad('a PROXY header of a version that we do not know');
  if (length > longestBlock) return bad('a PROXY header that is too long');
  const end = 16 + length;
  if (bytes.length < end) return more;
  const block = bytes.subarray(16, end);
  const header = (peer: ProxyPeer | undefined): ProxyHeader => ({
    ...{ kind: 'header', bytes: end, peer },
  });
  switch (command & 15) {
    // LOCAL: the balancer asks whether we are well.
    case 0:
      return header(undefined);
    case 1:
      return family === 0 ? header(undefined) : peerOf(family, block, header);
    default:
      return bad('a PROXY header with a command that we do not know');
  }
}

function peerOf(
  family: number,
  block: Buffer,
  header: (peer: ProxyPeer) => ProxyHeader,
): ProxyHeader {
  const ipBytes = family === 0x11 ? 4 : family === 0x21 ? 16 : undefined;
  if (ipBytes === undefined) return bad('a PROXY header of something other than TCP');
  if (block.length < 2 * ipBytes + 4) return bad('a PROXY header whose addresses are cut off');
  const from = block.subarray(0, ipBytes);
  const text = ipBytes === 4 ? from.join('.') : from.toString('hex').match(/.{4}/g)!.join(':');
  return header({ ip: normalizeIp(text)!, port: block.readUInt16BE(2 * ipBytes) });
}
