/**
 * The first walk through the source: what there is to move, which letters still need their bodies, and what is
 * lost to damage. Keeps a number for every stream that may go on, and nothing of letters that are done.
 */
import type {
  Damage,
  EventText,
  Position,
  RecordedEvent,
  Revision,
  StreamName,
} from '../log/ports.ts';
import { mayBeGone } from '../log/known-event.ts';
import { isTrouble } from '../mail/trouble.ts';
import { incarnationOf, type LeaseEvent } from '../nodes/events.ts';
import { empty, fold as foldLease, type Leases } from '../nodes/leases.ts';
import { messageOf } from '../queue/events.ts';
import { Ends } from './leases.ts';
import { pagesOf } from './pages.ts';
import type { Side } from './ports.ts';

export type Survey = {
  /** Nothing beyond it is moved. */
  readonly upTo: Position;
  readonly events: number;
  /** Streams of letters that are not done. */
  readonly open: ReadonlySet<StreamName>;
  readonly damages: readonly Damage[];
  /** Streams of letters that have lost an event. */
  readonly torn: ReadonlySet<StreamName>;
  /** Of other streams: so many events are lost just before the one at that position. */
  readonly holes: ReadonlyMap<Position, number>;
  /** So many lost events may have been the last of any stream. */
  readonly unknown: number;
  /** Of nodes that have shared the log. */
  readonly leases: Leases;
  readonly ends: Ends;
};

export type SurveyOptions = {
  readonly onProgress?: (events: number, part: number) => void;
  readonly rest?: () => Promise<void>;
};

export async function survey(source: Side, options: SurveyOptions = {}): Promise<Survey> {
  const upTo = await source.log.head();
  const books = new Books(source);
  const leases = empty();
  const ends = new Ends();
  let events = 0;
  for await (const page of pagesOf(source, upTo, options.rest)) {
    for (const event of page) {
      if (books.isOdd(event)) await books.settle(event);
      ends.note(event);
      if (incarnationOf(event.stream) !== undefined) foldLease(leases, toLeaseEvent(event));
    }
    events += page.length;
    options.onProgress?.(events, (page.at(-1)?.position ?? 0) / Math.max(1, upTo));
  }
  const damages = source.log.damages();
  if (damages.length > 0) await books.lookAtEnds(damages);
  const { open, torn, holes } = books;
  const nameless = damages.filter(({ stream }) => stream === undefined).length;
  const unknown = Math.max(0, nameless - books.explained);
  return { upTo, events, open, damages, torn, holes, unknown, leases, ends };
}

const toLeaseEvent = ({ json, ...event }: EventText) =>
  ({ ...event, data: JSON.parse(json) as unknown }) as RecordedEvent & LeaseEvent;

class Books {
  readonly open = new Set<StreamName>();
  readonly torn = new Set<StreamName>();
  readonly holes = new Map<Position, number>();
  readonly #source: Side;
  /** Of streams that may go on: their last revision. */
  readonly #last = new Map<StreamName, Revision>();
  /** Events that are missing before others of their streams. */
  explained = 0;
  /** Of the event just noted: the revision that its stream had before. */
  #before: Revision = -1;

  constructor(source: Side) {
    this.#source = source;
  }

  /** Notes it; whether it does not follow what was heard of its stream. */
  isOdd({ stream, revision, type }: EventText): boolean {
    const before = (this.#before = this.#last.get(stream) ?? -1);
    if (type === 'MessageCleanedUp') {
      this.open.delete(stream);
      this.#last.delete(stream);
    } else {
      if (type === 'MessageAccepted') this.open.add(stream);
      this.#last.set(stream, revision);
    }
    return revision !== before + 1;
  }

  /** Of a letter that is done nothing is kept: what stands before it may be there all the same. */
  async settle({ stream, revision, position }: EventText): Promise<void> {
    const before = this.#before;
    if (mayBeGone(stream)) return;
    this.explained += revision - before - 1;
    if (messageOf(stream) === undefined) this.holes.set(position, revision - before - 1);
    else if (before >= 0 || !(await this.#isThere(stream, revision - 1))) this.torn.add(stream);
  }

  async #isThere(stream: StreamName, revision: Revision): Promise<boolean> {
    try {
      const [event] = await this.#source.log.readStream(stream, { from: revision, limit: 1 });
      return event?.revision === revision;
    } catch (cause) {
      if (!isTrouble(cause, 'log-damaged')) throw cause;
      return false;
    }
  }

  /** A lost event may be the last of its stream: then nothing after it shows that it was there. */
  async lookAtEnds(damages: readonly Damage[]): Promise<void> {
    for (const { stream } of damages) {
      if (stream !== undefined && messageOf(stream) !== undefined) this.torn.add(stream);
    }
    for (const stream of this.open) {
      if (this.torn.has(stream)) continue;
      const end = (this.#last.get(stream) ?? -1) + 1;
      if (!(await this.#endsBefore(stream, end))) this.torn.add(stream);
    }
    for (const stream of this.torn) this.open.delete(stream);
  }

  async #endsBefore(stream: StreamName, revision: Revision): Promise<boolean> {
    try {
      await this.#source.log.readStream(stream, { from: revision, limit: 1 });
      return true;
    } catch (cause) {
      if (!isTrouble(cause, 'log-damaged')) throw cause;
      return false;
    }
  }
}
