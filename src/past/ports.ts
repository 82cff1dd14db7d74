/** What others give this station, and what they get. */
import type { Agenda } from '../../projections/agenda.ts';
import type { LogReader, Position } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import type { LiveAgenda } from './live-agenda.ts';
import type { QueueCounts, QueueRow } from '../trace/queue-rows.ts';

/** A point of the past: after the event at a position, or before the first event later than an instant. */
export type Place = { readonly position: Position } | { readonly at: Instant };

/** Where the marks lie in a data directory. */
export const historyFolder = 'past';

/** For `keepHistory(options): Observable<HistoryState>`, which follows the log while it is subscribed. */
export type HistoryOptions = {
  readonly log: LogReader;
  /** `data/past`; made when it is missing. */
  readonly directory: string;
  /** Events between two marks at least; default 25,000. */
  readonly every?: number;
  /** What the marks may take on disk per event of the log; default 100. */
  readonly bytesPerEvent?: number;
  /** An agenda of so many bytes, default 16 MiB, is let go of after so long without an event, default 30,000. */
  readonly forgetBytes?: number;
  readonly idleMs?: number;
  /** Between two pages while it catches up. */
  readonly rest?: () => Promise<void>;
  /** Told of the agenda as it is, from when it has caught up until it is let go of. */
  readonly live?: Pick<LiveAgenda, 'tell'>;
  /** One line about a mark that was thrown away or could not be written; nothing stops for it. */
  readonly onTrouble?: (words: string) => void;
};

/** Told page by page while it catches up, then with each event. */
export type HistoryState = {
  readonly position: Position;
  readonly head: Position;
  readonly rebuilding: boolean;
  /** How many events there are up to `position`. */
  readonly events: number;
  /** Of the last mark; `logStart` when there is none. */
  readonly marked: Position;
};

/** An agenda, and the point of the log at which it is true. */
export type Snapshot = {
  readonly agenda: Agenda;
  readonly position: Position;
  /** The instant that was asked for, or that of the event at the position. */
  readonly now: Instant;
};

/** What waited at a place: plain values that stay true. */
export type QueueAnswer = {
  readonly position: Position;
  readonly now: Instant;
  /** Those due first. */
  readonly rows: readonly QueueRow[];
  readonly counts: QueueCounts;
  /** Letters that owed a bounce. */
  readonly owing: readonly string[];
};

export type PastOptions = {
  readonly log: Pick<LogReader, 'readAll' | 'readStream' | 'head'>;
  /** `data/past`; need not exist. */
  readonly directory: string;
  /** One line about a mark that was passed over. */
  readonly onTrouble?: (words: string) => void;
  /** While events are folded. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Waiting recipients that may be kept in memory between questions, in all; default 1,500,000 (some 150 MB). */
  readonly keepRows?: number;
};

export interface Past {
  /** The agenda as it stood: the caller's own, made for this question. */
  agendaAt(place: Place): Promise<Snapshot>;
  /** The first `limit` recipients by due time. Asked again nearby it answers from what it has in memory. */
  queueAt(place: Place, limit: number): Promise<QueueAnswer>;
  /** Position of the last event before the first that is later than `instant`; 0 when there is none. */
  positionAt(instant: Instant): Promise<Position>;
}
