/** The two places of `waybill log copy`, from what was typed and what the configuration says. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readConfig, type EventStore } from '../control/config.ts';
import { mistakeIn, withoutSecrets } from '../control/event-store-address.ts';
import { oddityOf } from '../log/event-shapes.ts';
import { Trouble } from '../mail/trouble.ts';
import type { EventStorePlace } from '../moving/kurrent-side.ts';
import { safe } from '../trace/words.ts';
import type { Places } from './places.ts';

export type CopyPlace =
  | { readonly kind: 'sqlite'; readonly directory: string }
  | { readonly kind: 'kurrentdb'; readonly place: EventStorePlace };

/** What was said besides the place itself. */
export type Besides = {
  readonly credentials?: string | undefined;
  readonly bodies?: string | undefined;
};

/** Throws `refused` for what is no place, and as the configuration does. */
export function toCopyPlace(text: string, besides: Besides, places: Places): CopyPlace {
  if (text === 'sqlite') return { kind: 'sqlite', directory: resolve(places.data) };
  if (text.startsWith('sqlite:')) {
    const directory = text.slice('sqlite:'.length);
    // As after a shell's empty variable: not the directory that one happens to be in.
    if (directory === '') throw refused('sqlite: no directory is named');
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === false) {
      throw refused(`${safe(directory, 200)} is no directory`);
    }
    return { kind: 'sqlite', directory: resolve(directory) };
  }
  const configured = eventStoreOf(places);
  if (text === 'kurrentdb') {
    if (configured === undefined) throw refused('kurrentdb: the configuration has no [log] url');
    return { kind: 'kurrentdb', place: withBesides(configured, besides, places.config) };
  }
  // An address of its own after the engine's name.
  const url = /^kurrentdb:\w+(\+discover)?:\/\//.test(text)
    ? text.slice('kurrentdb:'.length)
    : text;
  if (!url.includes('://')) {
    throw refused(
      `"${safe(text, 80)}" is no place: sqlite:DIR, kurrentdb://…, sqlite or kurrentdb`,
    );
  }
  const mistake = mistakeIn(url);
  if (mistake !== undefined) throw refused(`${safe(withoutSecrets(url), 200)}: ${mistake}`);
  // The configured one by its own address: then its password and its directory are known.
  const isOurs = configured !== undefined && hostsOf(configured.url) === hostsOf(url);
  const store = { ...(isOurs ? configured : {}), url };
  return { kind: 'kurrentdb', place: withBesides(store, besides, places.config) };
}

/** Throws `refused`. */
export function refuseSamePlace(from: CopyPlace, to: CopyPlace): void {
  if (keyOf(from) === keyOf(to)) throw refused('--from and --to are the same place');
}

function keyOf(place: CopyPlace): string {
  if (place.kind === 'kurrentdb') return hostsOf(place.place.url);
  const { directory } = place;
  return existsSync(directory) ? realpathSync(directory) : directory;
}

/** In any order, without what else an address says. */
const hostsOf = (url: string): string =>
  withoutSecrets(url)
    .replace(/^[^:]*:\/\//, '')
    .replace(/[/?].*$/s, '')
    .toLowerCase()
    .split(',')
    .map((host) => (/:\d+$/.test(host) ? host : `${host}:2113`))
    .sort()
    .join(',');

type Store = Pick<EventStore, 'url'> & Partial<EventStore>;

const withBesides = (
  { url, credentialsFile, bodyDirectory }: Store,
  { credentials, bodies }: Besides,
  directory: string,
): EventStorePlace => ({
  ...{ url, directory, oddity: oddityOf },
  credentialsFile: credentials ?? credentialsFile,
  bodyDirectory: bodies === undefined ? bodyDirectory : resolve(bodies),
});

/** As `[log]` has it, also while its engine is still another; `undefined`: no address stands there. */
function eventStoreOf({ config, data }: Places): EventStore | undefined {
  const env = process.env;
  // Read as it stands first: a mistake elsewhere is then told as such.
  const { log } = readConfig({ dir: config, env, data });
  if (log.eventStore !== undefined) return log.eventStore;
  try {
    const asEventStore = { ...env, WAYBILL_LOG_ENGINE: 'kurrentdb' };
    return readConfig({ dir: config, env: asEventStore, data }).log.eventStore;
  } catch {
    return undefined;
  }
}

const refused = (detail: string): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
