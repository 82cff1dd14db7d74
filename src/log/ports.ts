/**
 * The event log, as everyone else sees it. SQLite, memory and KurrentDB stand behind it;
 * `test/contracts/event-log.ts` says in tests what is said here in words.
 */
import type { Observable } from 'rxjs';
import type { Instant } from '../platform/clock.ts';
import type { StagedBody } from '../spool/ports.ts';

/** `<category>-<id>`, lower-case ASCII; the category is what stands before the first `-`. */
export type StreamName = string;

/** Number of an event in its stream: dense, from 0. */
export type Revision = number;

/** What an append expects of a stream that must not exist yet. */
export const noStream: Revision = -1;

/** Place of an event in the whole log. Increasing; compare positions, never subtract them. */
export type Position = number;

/** Before the first event. */
export const logStart: Position = 0;

/** The shape of one member of a union of events. `v` rises when `data` changes shape. */
export type EventOf<Type extends string, V extends number, Data> = {
  readonly type: Type;
  readonly v: V;
  /** When it happened, by the clock of whoever decided it. */
  readonly at: Instant;
  readonly data: Data;
};

/** Any event on its way in; `data` must survive JSON. */
export type NewEvent = EventOf<string, number, unknown>;

/** An event as it stands in the log. */
export type RecordedEvent = NewEvent & {
  readonly stream: StreamName;
  readonly revision: Revision;
  readonly position: Position;
};

/** The same with its data still as the JSON that was written. */
export type EventText = Omit<RecordedEvent, 'data'> & { readonly json: string };

export type Appended = {
  /** Revision and position of the last event written. */
  readonly revision: Revision;
  readonly position: Position;
};

export type ReadStream = {
  /** First revision wanted (inclusive); default: the first, or the last when backwards. */
  readonly from?: Revision;
  readonly direction?: 'forwards' | 'backwards';
  /** Default: all of them. */
  readonly limit?: number;
};

export type ReadAll = {
  /** Forwards: events after this position. Backwards: events before it. Default: from the end that comes first. */
  readonly after?: Position;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit: number;
};

/** What a subscriber hears. `caught-up` comes after each catch-up, before the first live event. */
export type LogSignal =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'caught-up'; readonly position: Position };

/** An event whose bytes are not what was written. It is skipped by readers and listed here. */
export type Damage = {
  readonly position: Position;
  readonly stream: StreamName | undefined;
  readonly what: string;
};

export interface LogReader {
  /** The events of one stream; `[]` for a stream that does not exist. */
  readStream(stream: StreamName, options?: ReadStream): Promise<readonly RecordedEvent[]>;

  /** A page of the whole log, in log order. Fewer than `limit` events means the end was reached. */
  readAll(options: ReadAll): Promise<readonly RecordedEvent[]>;

  /** Position of the last durable event, `logStart` when there is none. */
  head(): Promise<Position>;

  /**
   * Every event after `from`, each exactly once, in order: first what is there, then what comes.
   * A slow subscriber is served from the log, never dropped. Ends only with an error
   * (`log-unavailable`), after which one subscribes again from the last position seen.
   */
  subscribe(from: Position): Observable<LogSignal>;

  /** Damaged events met so far; each was also reported when found. */
  damages(): readonly Damage[];
}

export interface EventLog extends LogReader {
  /**
   * Appends all events, or none, at exactly `expected` (the revision of the stream's last event,
   * `noStream` for a new one). Resolves when events and `body` are forced to disk.
   * An identical append heard twice succeeds twice and is written once.
   *
   * Errors: `RevisionConflict` (nothing was written; load again); `log-full`
   * (nothing was written); `log-unavailable` (the outcome is unknown: repeat the identical append, or
   * load again); `log-broken` (unknown, too, and nothing more is written before a restart).
   */
  append(
    stream: StreamName,
    expected: Revision,
    events: readonly NewEvent[],
    body?: StagedBody,
  ): Promise<Appended>;

  /** Finishes what is under way and lets go of the files. */
  close(): Promise<void>;
}

/** One stream's part of an append to several. */
export type Write = {
  readonly stream: StreamName;
  readonly expected: Revision;
  readonly events: readonly NewEvent[];
};

/** A log that several engines write to, and what they need of it besides. */
export interface SharedLog extends EventLog {
  /** Whether `appendTogether` is understood. Rejects as reading does. */
  canAppendTogether(): Promise<boolean>;

  /**
   * Appends to all these streams, or to none, and only while the stream `unless` does not exist. Resolves with
   * the place of the last event. An identical append heard twice succeeds twice, whatever has become of `unless`
   * in between. `body` is the first write's.
   * Errors: as `append`, and `fenced`: `unless` exists, nothing was written.
   */
  appendTogether(
    writes: readonly Write[],
    unless?: StreamName,
    body?: StagedBody,
  ): Promise<Appended>;

  /**
   * Of this stream the youngest events suffice: older ones are hidden at once from whoever reads the stream,
   * and may be gone from the log at any time. Its last event stays. Said once for a stream.
   */
  keepYoungest(stream: StreamName, events: number): Promise<void>;
}
