/**
 * Asks the views of a data directory; needs no engine, writes nothing. Views that a new one takes the place
 * of are let go of with the next question.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Position } from '../log/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import { matches, mayMatch, type Question } from '../trace/search.ts';
import { readPage, type Log } from './fold-page.ts';
import type { SearchAsk, SearchPage, Views, ViewsStatus } from './ports.ts';
import { isOf } from './projector.ts';
import { agesAt, hostsTried, saidMost, trafficOf, waitingBy } from './sqlite/counts.ts';
import { openSound, readMeta, readNext, servedFile } from './sqlite/files.ts';
import { toId } from './sqlite/rows.ts';
import { ViewSearch, type Placed } from './sqlite/search.ts';
import { emptyTail, readTail, type Tail } from './tail.ts';
import { toFound } from './to-found.ts';

export type OpenViewsOptions = {
  readonly log: Log;
  /** `data/views`; need not exist. */
  readonly directory: string;
  /** While what the views lack is read from the log: so many of so many events. */
  readonly onProgress?: (done: number, of: number) => void;
  readonly rest?: () => Promise<void>;
};

/** Every question rejects with `no-views` where there are none of this release and log. */
export const openViews = (options: OpenViewsOptions): Views => new OpenedViews(options);

/** Whether there are views that could answer. */
export async function hasViews({
  log,
  directory,
}: Pick<OpenViewsOptions, 'log' | 'directory'>): Promise<boolean> {
  const opened = await open(log, directory);
  opened?.db.close();
  return opened !== undefined;
}

type Opened = { readonly name: string; readonly db: DatabaseSync; readonly search: ViewSearch };

class OpenedViews implements Views {
  readonly #options: OpenViewsOptions;
  #opened: Opened | undefined;
  #tail: Tail | undefined;
  /** Searches of one connection come one after the other: they share a tail. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: OpenViewsOptions) {
    this.#options = options;
  }

  search(ask: SearchAsk): Promise<SearchPage> {
    const found = this.#turn.then(() => this.#search(ask));
    this.#turn = found.catch(() => undefined);
    return found;
  }

  async #search({ limit, after, ...question }: SearchAsk): Promise<SearchPage> {
    const opened = await this.#open();
    const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
    if (!Number.isSafeInteger(before)) throw notAPage();
    // One state of the views for all of it, or an event could be heard twice.
    return inTransaction(opened.db, async () => {
      const tail = await this.#readTail(opened);
      const young = youngIn(tail, opened.search, question, before);
      const old = opened.search.find(question, before);
      const placed: Placed[] = [];
      for (const each of inOrder(young, old, tail.changes.letters)) {
        placed.push(each);
        if (placed.length >= limit) break;
      }
      const next = placed.length < limit ? undefined : String(placed.at(-1)?.pos);
      return { letters: placed.map(({ found }) => found), next };
    });
  }

  /** Folded once; the next question goes on from there unless the views have come along. */
  async #readTail({ db, search }: Opened): Promise<Tail> {
    const { log, onProgress, rest } = this.#options;
    const position = readMeta(db).upTo;
    if (this.#tail?.from !== position) this.#tail = emptyTail(position);
    const tail = this.#tail;
    await readTail(tail, log, (id) => search.byId(id), { onProgress, rest });
    return tail;
  }

  async lettersWith(idPrefix: string, limit: number) {
    const part = idPrefix.replaceAll('-', '');
    if (!/^[0-9a-f]{1,32}$/i.test(part)) return [];
    const { search } = await this.#open();
    return search.lettersWith(part, limit).map((id) => toId(id));
  }

  traffic: Views['traffic'] = async (ask) => trafficOf((await this.#open()).db, ask);
  said: Views['said'] = async (kind, since, limit) =>
    saidMost((await this.#open()).db, kind, since, limit);
  hosts: Views['hosts'] = async (since, limit) => hostsTried((await this.#open()).db, since, limit);
  waiting: Views['waiting'] = async (limit) => waitingBy((await this.#open()).db, limit);
  ages: Views['ages'] = async (now, bands) => agesAt((await this.#open()).db, now, bands);

  async status(): Promise<ViewsStatus> {
    const { log, directory } = this.#options;
    const { db, name } = await this.#open();
    const { last, upTo, letters } = readMeta(db);
    const head = await log.head();
    const [missing] = head > upTo ? await readPage(log, upTo, 1) : [];
    return {
      ...{ position: upTo, head },
      at: last?.at,
      lacksFrom: missing?.at,
      letters,
      bytes: statSync(join(directory, name)).size,
      rebuilding: readNext(directory)?.upTo,
    };
  }

  close(): void {
    this.#opened?.db.close();
    this.#opened = undefined;
  }

  async #open(): Promise<Opened> {
    const { log, directory } = this.#options;
    const known = this.#opened;
    if (known !== undefined && (known.db.isTransaction || known.name === servedFile(directory))) {
      return known;
    }
    this.close();
    this.#tail = undefined;
    this.#opened = await open(log, directory);
    if (this.#opened === undefined) throw refusal('there are no views yet');
    return this.#opened;
  }
}

async function open(log: Log, directory: string): Promise<Opened | undefined> {
  const name = servedFile(directory);
  const db = name === undefined ? undefined : openSound(join(directory, name), true);
  if (name === undefined || db === undefined) return undefined;
  if (await isOf(log, readMeta(db).last)) return { name, db, search: new ViewSearch(db) };
  db.close();
  return undefined;
}

const notAPage = (): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail: 'no page of that name' });

const refusal = (detail: string): Trouble =>
  new Trouble('not-found', { tryAgain: true, peer: 'no views', detail });

async function inTransaction<T>(db: DatabaseSync, read: () => Promise<T>): Promise<T> {
  db.exec('BEGIN');
  try {
    return await read();
  } finally {
    db.exec('COMMIT');
  }
}

/** Letters that the tail has changed, as they are now, the youngest first. */
function youngIn(
  { changes, said }: Tail,
  search: ViewSearch,
  question: Question,
  before: Position,
): Placed[] {
  const young: Placed[] = [];
  for (const { letter } of changes.letters.values()) {
    if (letter.pos >= before || !mayMatch(toFound(letter, [], question), question)) continue;
    const all = [...search.saidOf(letter), ...(said.get(letter.pos) ?? [])];
    const found = toFound(letter, all, question);
    if (matches(found, question)) young.push({ found, pos: letter.pos });
  }
  return young.sort((a, b) => b.pos - a.pos);
}

/** Both lists as one; what the tail has changed is in `young`, or does not match any more. */
function* inOrder(
  young: readonly Placed[],
  old: Iterable<Placed>,
  changed: ReadonlyMap<string, unknown>,
): Generator<Placed> {
  let at = 0;
  for (const each of old) {
    if (changed.has(each.found.message)) continue;
    while (at < young.length && young[at]!.pos > each.pos) yield young[at++]!;
    yield each;
  }
  yield* young.slice(at);
}
