/** The right side of an smtproutes line: `relay[:port]`. */
import { normalizeIp } from '../mail/ip-address.ts';
import { asciiLower } from '../mail/address.ts';
import type { Note, Pair } from './readers.ts';

export type Relay = {
  /** Host name in lower case, or an IP address without brackets. */
  readonly host: string;
  /** 0: never connects. */
  readonly port: number;
};

const smtpPort = 25;

/** `[::1]:2525`, `::1` (bare IPv6 has no port), or what stands before the first colon. */
function splitRelay(text: string): readonly [host: string, port: string | undefined] {
  if (normalizeIp(text) !== undefined) return [text, undefined];
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/.exec(text);
  if (bracketed) return [bracketed[1] ?? '', bracketed[2]];
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Leading digits, as qmail reads them; a port that does not exist never connects. */
function parsePort(text: string): number {
  const port = Number(/^[0-9]*/.exec(text)?.[0]);
  return port > 65_535 ? 0 : port;
}

/** `undefined` for an empty relay: the MX of the host itself. */
export function parseRelay(text: string): Relay | undefined {
  const [host, port] = splitRelay(text);
  if (host === '') return undefined;
  return {
    host: normalizeIp(host) ?? asciiLower(host),
    port: port === undefined ? smtpPort : parsePort(port),
  };
}

export function checkRelay({ line, value }: Pair): readonly Note[] {
  const relay = parseRelay(value);
  if (relay?.port !== 0) return [];
  return [
    { line, message: `no port from 1 to 65535 in ${JSON.stringify(value)}: it never connects` },
  ];
}
