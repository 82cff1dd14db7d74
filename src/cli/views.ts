/** `waybill views status|rebuild`: the database that search, the web page and SQL read. */
import { chownSync, existsSync, mkdirSync, statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { dropRights } from '../composition/roles/drop-rights.ts';
import type { Position } from '../log/ports.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import type { Instant } from '../platform/clock.ts';
import { toAsciiJson } from '../trace/json.ts';
import { count, formatInstant, safe } from '../trace/words.ts';
import { buildViews } from '../views/build.ts';
import { openViews } from '../views/open-views.ts';
import type { ViewsStatus } from '../views/ports.ts';
import { readNext, servedName } from '../views/sqlite/files.ts';
import { giveWay, shareOfReading } from './giving-way.ts';
import { withLog } from './open-log.ts';
import { openWords } from './output.ts';
import { dataFiles, type Places } from './places.ts';
import { openProgress } from './progress.ts';

type Json = { readonly json?: boolean };

export async function viewsStatus(places: Places, { json = false }: Json): Promise<void> {
  const output = openWords(json);
  await withLog(places, async ({ log, files }) => {
    const file = join(files.views, servedName);
    const views = openViews({ log, directory: files.views });
    try {
      const status = await views.status();
      if (json) output.line(statusJson(file, status));
      else for (const line of statusLines(file, status)) output.line(line);
    } catch (cause) {
      if (!isTrouble(cause, 'not-found')) throw cause;
      const next = existsSync(files.views) ? readNext(files.views) : undefined;
      const nothing = { head: await log.head(), position: next?.upTo };
      output.line(json ? nothingJson(nothing) : nothingLine(nothing));
    } finally {
      views.close();
    }
  });
  await output.drained();
}

function statusJson(file: string, status: ViewsStatus): string {
  const iso = (at: Instant | undefined) => (at === undefined ? undefined : formatInstant(at, 'ms'));
  return toAsciiJson({ file, ...status, at: iso(status.at), lacksFrom: iso(status.lacksFrom) });
}

function* statusLines(file: string, status: ViewsStatus): Generator<string> {
  const { head, at, lacksFrom, letters, bytes, rebuilding } = status;
  const upTo = at === undefined ? 'of nothing yet' : `up to ${formatInstant(at)}`;
  const mib = Math.ceil(bytes / 1024 ** 2).toLocaleString('en');
  yield `${safe(file, 4096)}: ${count(letters, 'letter')} ${upTo}, ${mib} MiB`;
  yield lacksFrom === undefined
    ? 'up with the log'
    : `behind the log: they lack what happened since ${formatInstant(lacksFrom)}`;
  if (rebuilding !== undefined) yield wordsOfNew(rebuilding, head);
}

/** No views are served; `position`: those that are being computed have got so far. */
type Nothing = { readonly head: Position; readonly position: Position | undefined };

const nothingJson = ({ head, position }: Nothing): string =>
  toAsciiJson({ file: null, head, rebuilding: position ?? null });

const nothingLine = ({ head, position }: Nothing): string =>
  position === undefined
    ? 'There are no views: the desk makes them, or `waybill views rebuild`.'
    : wordsOfNew(position, head);

const wordsOfNew = (position: number, head: number): string =>
  `new ones are being computed: ${Math.floor((position / Math.max(1, head)) * 100)} % of the log`;

type RebuildOptions = Json & { readonly resume?: boolean; readonly urgent?: boolean };

export async function rebuildViews(places: Places, options: RebuildOptions): Promise<void> {
  const { json = false, resume = false, urgent = false } = options;
  const { views: directory } = dataFiles(places.data);
  await withLog(places, async ({ log: opened, body, unit }) => {
    // An event store has no texts at hand; and whatever is loaded to ask it is loaded now, as whoever we are.
    const { readTexts: _texts, ...far } = opened;
    const log = body === undefined ? opened : far;
    await log.head();
    openFolder(directory);
    const since = performance.now();
    const { rest } = giveWay(urgent ? 1 : shareOfReading);
    const read = await build({ log, directory, rest, afresh: !resume }, unit);
    const seconds = (performance.now() - since) / 1000;
    const file = join(directory, servedName);
    console.log(
      json
        ? toAsciiJson({ file, events: read, seconds: Number(seconds.toFixed(3)) })
        : `${safe(file, 4096)} is new: ${count(read, 'event')} in ${seconds.toFixed(1)} s.`,
    );
  });
}

/** How many events were read. Throws `refused` while somebody else computes them. */
async function build(parts: Parameters<typeof buildViews>[0], unit: string): Promise<number> {
  const progress = openProgress('computing the views');
  let read = 0;
  try {
    for await (const { position, head, events = read } of buildViews(parts)) {
      progress.tell(position, head, unit);
      read = events;
    }
    return read;
  } catch (cause) {
    if (!isTrouble(cause, 'log-in-use')) throw cause;
    throw new Trouble('refused', {
      ...{ tryAgain: true, peer: 'busy' },
      detail: 'somebody else is computing the views already: see `waybill views status`',
    });
  } finally {
    progress.end();
  }
}

/**
 * Root works as whoever has the desk's directory: what lies there may be a trap for root. One that is made here
 * is the desk's, as at a start.
 */
function openFolder(directory: string): void {
  if (process.geteuid?.() !== 0) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return;
  }
  const parent = dirname(directory);
  const owner = ownerOf(directory, parent);
  // Where root owns what is around it nobody can put anything else in its place meanwhile.
  const isOurs = statSync(parent).uid === 0;
  if (isOurs && !existsSync(directory)) {
    mkdirSync(directory, { mode: 0o700 });
    chownSync(directory, owner.uid, owner.gid);
  }
  dropRights({ name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid, groups: [] });
  if (!isOurs) mkdirSync(directory, { recursive: true, mode: 0o700 });
}

type Owner = Pick<Stats, 'uid' | 'gid'>;

/** Its own; else that of the desk's other folders; before the first start with a desk whoever owns the data. */
function ownerOf(directory: string, parent: string): Owner {
  const places = [directory, join(parent, 'past'), join(parent, 'desk'), parent];
  const found = places.flatMap((place) => statSync(place, { throwIfNoEntry: false }) ?? []);
  return found[0]!;
}
