/**
 * The argument of MAIL and RCPT: `FROM:<path> KEY=value …` (RFC 5321 §4.1.1.2, §4.1.2).
 * Quoting is undone as in qmail-smtpd.c addrparse, but what qmail let pass in silence is a mistake:
 * a missing keyword or `>`, quotes that do not close, blanks and control bytes in the open.
 */
import type { Address } from '../../mail/envelope.ts';

export type Path = {
  /** Unquoted, without source route; `''` for `<>`. */
  readonly address: Address;
  /** ESMTP parameters: keys in upper case, `''` where there is no value. */
  readonly params: ReadonlyMap<string, string>;
};

/** `syntax`: 501; `too-long`: 555, as in qmail. */
export type PathMistake = 'syntax' | 'too-long';

/** qmail's limit for an address, in bytes. */
export const maxAddressBytes = 899;

const encoder = new TextEncoder();

export function parsePath(keyword: 'FROM' | 'TO', argument: string): Path | PathMistake {
  if (argument.slice(0, keyword.length + 1).toUpperCase() !== `${keyword}:`) return 'syntax';
  const text = argument.slice(keyword.length + 1).trimStart();
  const bracketed = text.startsWith('<');
  const raw = bracketed ? cutPath(text.slice(1), '>') : cutPath(text, ' ');
  if (raw === undefined) return 'syntax';
  const rest = bracketed ? text.slice(raw.length + 2) : text.slice(raw.length);
  if (!bracketed && (raw === '' || /[<>]/.test(raw))) return 'syntax';
  const address = unquote(withoutRoute(raw));
  const params = parseParams(rest);
  if (address === undefined || params === undefined) return 'syntax';
  return isTooLong(address) ? 'too-long' : { address, params };
}

/** A letter has three bytes at most (of a surrogate pair, each two). */
const isTooLong = (address: Address): boolean =>
  address.length > maxAddressBytes / 3 && encoder.encode(address).length > maxAddressBytes;

/** Up to the first unquoted `end`; `undefined` where `>` never comes. A bare path may end with the text. */
function cutPath(text: string, end: '>' | ' '): string | undefined {
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i];
    if (letter === '\\') i += 1;
    else if (letter === '"') quoted = !quoted;
    else if (letter === end && !quoted) return text.slice(0, i);
  }
  return end === ' ' && !quoted ? text : undefined;
}

/** `@one,@two:joe@host`: the route is skipped (RFC 5321 appendix C); without a colon it is none. */
function withoutRoute(path: string): string | undefined {
  if (!path.startsWith('@')) return path;
  const colon = path.indexOf(':');
  return colon < 0 ? undefined : path.slice(colon + 1);
}

/** No address holds control characters; U+FFFD stands for bytes that were not UTF-8. */
const unfit = /[\x00-\x1f\x7f\ufffd]/;

function unquote(path: string | undefined): Address | undefined {
  if (path === undefined || unfit.test(path)) return undefined;
  if (!/["\\ ]/.test(path)) return path;
  let address = '';
  let quoted = false;
  for (let i = 0; i < path.length; i += 1) {
    const letter = path[i] ?? '';
    if (letter === '"') quoted = !quoted;
    else if (letter === ' ' && !quoted) return undefined;
    else if (letter !== '\\') address += letter;
    else if (++i < path.length) address += path[i] ?? '';
    else return undefined;
  }
  return quoted ? undefined : address;
}

/** RFC 5321 §4.1.1.11; `undefined` for one given twice and for anything that is no parameter. */
function parseParams(text: string): ReadonlyMap<string, string> | undefined {
  const params = new Map<string, string>();
  if (text.trim() === '') return params;
  if (!text.startsWith(' ')) return undefined;
  for (const word of text.trim().split(/ +/)) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\uffff]+))?$/.exec(word);
    const key = match?.[1]?.toUpperCase();
    if (key === undefined || params.has(key)) return undefined;
    params.set(key, match?.[2] ?? '');
  }
  return params;
}
