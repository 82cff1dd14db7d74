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

/** Keys as the client compares them. */
const plain = (key: string): string => key.toLowerCase().replaceAll(/[-_]/g, '');

const files = ['tlscafile', 'usercertfile', 'userkeyfile'];

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
  for (const [key] of new URLSearchParams(match[5] ?? '')) {
    const why = harmful[plain(key)];
    if (why !== undefined) return `${key} must not be set: ${why}`;
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
  readonly url: string;
  /** What stands in it before the `@`, decoded. */
  readonly credentials: Credentials | undefined;
};

type Credentials = { readonly username: string; readonly password: string };

/** Throws an `Error` in words for an operator. */
export function toAddress({ url, credentialsFile, directory }: AddressParts): Address {
  const mistake = mistakeIn(url);
  if (mistake !== undefined) throw new Error(mistake);
  const [, scheme = '', discover = '', inUrl, hosts = '', query = ''] = pattern.exec(url)!;
  if (credentialsFile !== undefined && isPlainText(query)) {
    throw new Error('without TLS the client does not send name and password (credentials_file)');
  }
  const settings = new URLSearchParams(query);
  for (const [key, value] of [...settings]) {
    const isFile = files.includes(plain(key));
    if (isFile && !isAbsolute(value)) settings.set(key, resolve(directory, value));
  }
  // The first read waits so long before it dials.
  if (![...settings.keys()].some((key) => plain(key) === 'discoveryinterval')) {
    settings.set('discoveryInterval', '50');
  }
  const credentials =
    credentialsFile === undefined ? credentialsIn(inUrl) : readCredentials(credentialsFile);
  const words = [...settings].map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  const where = `${formatCredentials(credentials)}${hosts}?${words.join('&')}`;
  return { url: `${scheme}${discover}://${where}`, credentials };
}

function credentialsIn(text: string | undefined): Credentials | undefined {
  if (text === undefined) return undefined;
  const [username = '', password = ''] = text.split(':').map(decodeURIComponent);
  return { username, password };
}

const formatCredentials = (credentials: Credentials | undefined): string =>
  credentials === undefined
    ? ''
    : `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`;

function readCredentials(file: string): Credentials {
  const [line = ''] = readFileSync(file, 'utf8').split(/\r?\n/);
  const colon = line.indexOf(':');
  if (colon < 1) throw new Error(`${file}: the first line is not "user:password"`);
  return { username: line.slice(0, colon), password: line.slice(colon + 1) };
}

/** For logs: without name and password. */
export const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/?]*@/, '//');
