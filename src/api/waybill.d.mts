/** The public types of Waybill's log: what `import { openLog } from 'waybill'` gives. Stable within a major version. */
import type { Observable } from 'rxjs';

/** For questions of one's own to the log: projections/README.md. */
export type {
  Answer,
  Asked,
  Cell,
  Column,
  Format,
  Given,
  Happening,
  Option,
  Question,
} from '../ask/ports.ts';

/** Place of an event in the whole log. Increasing; compare positions, never subtract them. 0: before the first event. */
export type Position = number;

/** Milliseconds since 1970, UTC. */
export type Instant = number;

/** One event as it stands in the log. Which types there are, and what is in their data: docs/INTERNALS.md, "Streams". */
export type WaybillEvent = {
  readonly position: Position;
  /** `message-<id>`, `node-<name>-<start>`, `door-<name>-<day>-<start>`. */
  readonly stream: string;
  /** Its number in the stream: 0, 1, 2, … */
  readonly revision: number;
  readonly type: string;
  /** The version of the shape of `data`. */
  readonly v: number;
  readonly at: Instant;
  readonly data: unknown;
};

/** A time (a `Date`, or text as `waybill queue --at` takes it: `-2h`, `2026-11-21T06:00`), or the event at a position. */
export type Place = Date | string | { readonly at: Instant } | { readonly position: Position };

export type Story = {
  readonly message: string;
  readonly events: readonly WaybillEvent[];
  /** A line per event as `waybill trace` tells it, in printable ASCII; for people, its wording may change. */
  readonly lines: readonly {
    readonly at: Instant;
    readonly text: string;
    readonly more: readonly string[];
  }[];
  /** Revisions that are damaged and cannot be read. */
  readonly lost: readonly number[];
};

export type QueueCounts = {
  readonly letters: number;
  readonly recipients: number;
  readonly due: number;
  readonly held: number;
  readonly attempting: number;
  /** Letters that owe a bounce. */
  readonly owing: number;
};

/** One recipient who waits, as `waybill queue --json` prints it; times are ISO 8601. */
export type WaitingRecipient = {
  readonly message: string;
  readonly recipient: number;
  readonly address: string | undefined;
  readonly returnPath: string;
  readonly status: 'waiting' | 'held' | 'attempting';
  readonly dueAt: string;
  readonly acceptedAt: string;
  readonly bytes: number;
  readonly channel: string | undefined;
  readonly lane: string;
  readonly attempts: number;
  readonly startedAt?: string;
  readonly lastReply?: { readonly text: string; readonly code?: number | undefined };
  readonly held?: { readonly by: string; readonly why: string; readonly at: string };
};

export type Queue = {
  /** Of the last event that was taken into account. */
  readonly position: Position;
  readonly at: Instant;
  readonly counts: QueueCounts;
  /** Those due first, at most `limit`. */
  readonly recipients: readonly WaitingRecipient[];
  readonly owing: readonly string[];
};

export type OpenOptions = {
  /** Where there is no log yet, wait for one; else `openLog` fails with `log-unavailable`. */
  readonly wait?: boolean;
  /** How often to look for news, milliseconds; default 100. */
  readonly pollMs?: number;
  /** A damaged event is left out and told here, once. */
  readonly onDamage?: (damage: {
    readonly position: Position;
    readonly stream: string | undefined;
    readonly what: string;
  }) => void;
};

export type ReadOptions = {
  /** `false`: end where the log ends now, rather than go on with what comes. Default `true`. */
  readonly live?: boolean;
};

/** A position with a name, held by this process alone. Kept in `data/consumers/NAME`. */
export interface Consumer {
  readonly name: string;
  /** Everything up to here was handled, and that is on disk. */
  readonly position: Position;
  /** The events after `position`. Nothing counts as handled before `handled` says so. */
  events(options?: ReadOptions): Observable<WaybillEvent>;
  /** The same, pulled: the next event is read when the one before it is done with. */
  read(options?: ReadOptions): AsyncIterable<WaybillEvent>;
  /** Everything up to `position` is handled; resolves when that is on disk. */
  handled(position: Position): Promise<void>;
  close(): Promise<void>;
}

/** Errors carry a `code`: `log-unavailable`, `log-in-use` (another process holds the name), `not-found`, `refused`, … */
export interface WaybillLog {
  /** Position of the last event. */
  head(): Promise<Position>;
  /** Every event from the one at `from` on (default: the first), each once, in order: first what is there, then what comes. */
  events(from?: Position, options?: ReadOptions): Observable<WaybillEvent>;
  /** The same, pulled: whoever takes long over an event holds no others in memory meanwhile. */
  read(from?: Position, options?: ReadOptions): AsyncIterable<WaybillEvent>;
  /** One letter's story, by its id or the first or last digits of it. Fails with `not-found`. */
  story(id: string): Promise<Story>;
  /** What waited at a place: see `src/past/README.md` for what "at" means exactly. `limit`: default 1,000 recipients. */
  queueAt(place: Place, options?: { readonly limit?: number }): Promise<Queue>;
  /** Position of the last event before the first one later than the instant. */
  positionAt(place: Place): Promise<Position>;
  /** Takes a name, as `waybill log --checkpoint` does. Fails with `log-in-use` while another process holds it. */
  consumer(name: string): Promise<Consumer>;
  /** Completes what is followed, and lets go of all files. */
  close(): Promise<void>;
}

/** Opens the log of a data directory, read-only. */
export function openLog(data: string, options?: OpenOptions): Promise<WaybillLog>;
