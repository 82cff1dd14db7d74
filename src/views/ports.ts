/**
 * What the views answer. They are computed from the log and may be behind it: a search looks the rest up in
 * the log itself, so its answer is complete; counts are those of the views' position (`status`).
 */
import type { Position } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { Found, Question } from '../trace/search.ts';

/** The directory's name in a data directory. */
export const viewsFolder = 'views';

export type SearchAsk = Question & {
  /** Letters. */
  readonly limit: number;
  /** What the page before called `next`. */
  readonly after?: string;
};

export type SearchPage = {
  /** The youngest first, in the order in which they were accepted. */
  readonly letters: readonly Found[];
  /** Absent: that was the last of them. */
  readonly next: string | undefined;
};

/** `stepMs`: whole minutes; steps begin at multiples of it since 1970. */
export type TrafficAsk = {
  readonly from: Instant;
  readonly until: Instant;
  readonly stepMs: number;
};

/** `at` is the beginning of a step. Steps in which nothing happened are left out. */
export type TrafficStep = {
  readonly at: Instant;
  /** Letters. */
  readonly accepted: number;
  readonly bytes: number;
  /** Attempts on recipients, by what they came to. */
  readonly delivered: number;
  readonly deferred: number;
  readonly failed: number;
};

/** A reply without the words that differ from letter to letter (`…` stands for each), and how often it was said. */
export type SaidOften = { readonly reply: string; readonly count: number };

export type HostHealth = {
  /** The next hop: domain or relay; `local` for what stays here. */
  readonly host: string;
  readonly delivered: number;
  readonly deferred: number;
  readonly failed: number;
  /** Of an attempt, from its start to its verdict. */
  readonly meanMs: number | undefined;
  readonly lastAt: Instant | undefined;
  /** The last reply that was no success. */
  readonly lastTrouble: string | undefined;
};

/** Recipients that wait, by where they go; `oldest` is when the oldest of their letters was accepted. */
export type Waiting = {
  readonly host: string;
  readonly recipients: number;
  readonly oldest: Instant;
};

/** Recipients whose letters are at least `fromMs` old, and younger than the next band. */
export type AgeBand = { readonly fromMs: number; readonly recipients: number };

export type ViewsStatus = {
  /** Everything up to here is in the views. */
  readonly position: Position;
  /** End of the log. */
  readonly head: Position;
  /** When the last event in them happened. */
  readonly at: Instant | undefined;
  /** When the first event that they lack happened; `undefined`: they have all. */
  readonly lacksFrom: Instant | undefined;
  readonly letters: number;
  readonly bytes: number;
  /** New views are being computed beside these: how far they have got. */
  readonly rebuilding: Position | undefined;
};

export interface Views {
  /** Complete, whatever the views lack. */
  search(ask: SearchAsk): Promise<SearchPage>;
  /** Letters whose id begins with these hex digits (dashes do not count), the youngest first. */
  lettersWith(idPrefix: string, limit: number): Promise<readonly MessageId[]>;
  traffic(ask: TrafficAsk): Promise<readonly TrafficStep[]>;
  /** What deferrals, or failures, said most often, from the hour of that instant on. */
  said(kind: 'deferred' | 'failed', since: Instant, limit: number): Promise<readonly SaidOften[]>;
  /** Next hops tried from the hour of that instant on, those with most trouble first. */
  hosts(since: Instant, limit: number): Promise<readonly HostHealth[]>;
  /** What waits, by destination, the most first. */
  waiting(limit: number): Promise<readonly Waiting[]>;
  /** What waits, by age at `now`; `bands` are the lower ends, ascending. */
  ages(now: Instant, bands: readonly number[]): Promise<readonly AgeBand[]>;
  status(): Promise<ViewsStatus>;
  close(): void;
}
