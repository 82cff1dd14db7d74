/**
 * The address of the event store as its client takes it: `[log] url`, completed by what we know better, and
 * rid of what would harm. Name and password may come from a file, so that no other role ever sees them.
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

export type AddressParts = {
  /** `kurrentdb://host:2113?tls=true`, `kurrentdb+discover://…`, `esdb://…`. */
  readonly url: string;
  /** A file whose first line is `user:password`. */
  readonly credentialsFile?: string | undefined;
  /** Relative files of the address start here. */
  readonly directory: string;
};

const pattern =
  /^(kurrentdb|kurrent|kdb|esdb)(\+discover)?:\/\/(?:([^@/?]*)@)?([^/?]+)\/?(?:\?(.*))?$/i;

/** Keys as one half of the client compares them; the other knows them without `-` and `_` only. */
const plain = (key: string): string => key.toLowerCase().replaceAll(/[-_]/g, '');

const files = ['tlscafile', 'usercertfile', 'userkeyfile'];

/**
 * What we know better. The first read waits for the interval before it dials. An append carries the time at
 * which it is too late, by our clock, and a server whose clock is ahead of that refuses it: so it is a day;
 * the server's own limit of seconds holds all the same, and so do our timers.
 */
const ours = { discoveryInterval: '50', defaultDeadline: '86400000' };

/**
 * Keys that must not be set. `gossipTimeout` is seconds to one half of the client and milliseconds to the
 * other; without `throwOnAppendFailure` a conflict is told with a wrong number.
 */
const harmful: { readonly [key: string]: string } = {
  gossiptimeout: 'the two halves of the client understand it differently, and reads fail',
  throwonappendfailure: 'conflicts would be told wrongly',
};

/** What is wrong with an address, in words; nothing when it can be used. */
export function mistakeIn(url: string): string | undefined {
  const match = pattern.exec(url);
  if (match === null) return 'not an address such as "kurrentdb://host:2113?tls=true"';
  for (const [key, value] of new URLSearchParams(match[5] ?? '')) {
    const why = harmful[plain(key)];
    if (why !== undefined) return `${key} must not be set: ${why}`;
    if (plain(key) === 'nodepreference' && value.toLowerCase() !== 'leader') {
      return `${key} must be leader: another node may not know yet what has been written`;
    }
  }
  if (match[3] !== undefined && /%(?![0-9a-f]{2})/i.test(match[3])) {
    return 'a "%" in name or password is written %25';
  }
  if (match[3] !== undefined && isPlainText(match[5])) {
    return 'without TLS the client does not send name and password';
  }
  return undefined;
}

const isPlainText = (query: string | undefined): boolean =>
  [...new URLSearchParams(query ?? '')].some(
    ([key, value]) => plain(key) === 'tls' && value.toLowerCase() === 'false',
  );

export type Address = {
  /** Without name and password: the two halves of the client decode them differently. */
  readonly url: string;
  readonly credentials: Credentials | undefined;
  /** Where they can be read again. */
  readonly credentialsFile?: string | undefined;
};

export type Credentials = { readonly username: string; readonly password: string };

/** Throws an `Error` in words for an operator. */
export function toAddress({ url, credentialsFile, directory }: AddressParts): Address {
  const mistake = mistakeIn(url);
  if (mistake !== undefined) throw new Error(mistake);
  const [, , discover = '', inUrl, hosts = '', query = ''] = pattern.exec(url)!;
  if (credentialsFile !== undefined && isPlainText(query)) {
    throw new Error('without TLS the client does not send name and password (credentials_file)');
  }
  const settings = new Map(
    Object.entries(ours).map(([key, value]) => [plain(key), { key, value }]),
  );
  for (const [key, value] of new URLSearchParams(query)) {
    const isFile = files.includes(plain(key));
    const meant = isFile && !isAbsolute(value) ? resolve(directory, value) : value;
    settings.set(plain(key), { key: key.replaceAll(/[-_]/g, ''), value: meant });
  }
  const words = [...settings.values()].map(
    ({ key, value }) => `${key}=${encodeURIComponent(value)}`,
  );
  return {
    // One name of the scheme: for the old one the client complains, each time.
    url: `kurrentdb${discover}://${hosts}?${words.join('&')}`,
    credentials:
      credentialsFile === undefined ? credentialsIn(inUrl) : readCredentials(credentialsFile),
    credentialsFile,
  };
}

function credentialsIn(text: string | undefined): Credentials | undefined {
  if (text === undefined) return undefined;
  const [, username = '', password = ''] = /^([^:]*):?(.*)$/s.exec(text)!;
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** Throws an `Error` in words for an operator. */
export function readCredentials(file: string): Credentials {
  const [line = ''] = readFileSync(file, 'utf8').split(/\r?\n/);
  const colon = line.indexOf(':');
  if (colon < 1) throw new Error(`${file}: the first line is not "user:password"`);
  return { username: line.slice(0, colon), password: line.slice(colon + 1) };
}

/** For logs: without name and password, also where those hold what should have been escaped. */
export const withoutSecrets = (url: string): string =>
  url.replace(isPlain.test(url) ? /\/\/[^@/?]*@/ : /\/\/.*@/s, '//');

/** With hosts that can be some, so that nothing of a password stands where they should. */
const isPlain = /^[^/]*:\/\/([^@/?]*@)?(\[[^\]@/?]*\]|[^:@/?,[\]])+(:\d+)?(,[^@/?]*)?\/?(\?|$)/;
