/**
 * What a question to the log is. A question is one file that folds events into one answer; it is asked live,
 * over the whole past, or up to any instant, and none of these needs another line of it.
 * `projections/README.md` shows how to write one.
 */
import type { NodeEvent } from '../control/events.ts';
import type { DoorEvent } from '../ingress/events.ts';
import type { Position, Revision, StreamName } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import type { QueueEvent } from '../queue/events.ts';

/** Any event there is, told apart by its `type`, and where it stands in the log. */
export type Happening = (QueueEvent | NodeEvent | DoorEvent) & {
  readonly stream: StreamName;
  readonly revision: Revision;
  readonly position: Position;
};

/** An option that a question takes on the command line and in a page's address. */
export type Option = {
  /** `span`: typed as `5min`, `1h`, `2d`; given as milliseconds. A list: one of these words. */
  readonly kind: 'text' | 'number' | 'span' | 'flag' | readonly string[];
  readonly about: string;
  /** As a person would type it. An option without it may be absent. */
  readonly default?: string;
  readonly required?: true;
};

/** What was given for the options, checked and with the defaults filled in. */
export type Given = {
  readonly [option: string]: string | number | boolean | undefined;
  /** Count nothing that happened before. Only questions that `learn` hear of earlier events at all. */
  readonly since?: Instant;
};

/** How a column's values are written. `count`: a number as it is; `seconds`: two digits behind the point. */
export type Format =
  | 'text'
  | 'count'
  | 'bytes'
  | 'seconds'
  | 'percent'
  /** An instant, shown in UTC. */
  | 'instant'
  /** Milliseconds, shown as `3 h 2 min`. */
  | 'span';

export type Column = { readonly name: string; readonly format?: Format; readonly about?: string };

export type Cell = string | number | undefined;

/** Plain values that stay true whatever the view does afterwards. Strangers' text may be in it as it came. */
export type Answer =
  | {
      readonly kind: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Cell[])[];
      /** Said below the table. */
      readonly notes?: readonly string[];
    }
  | { readonly kind: 'lines'; readonly lines: readonly string[] };

/** A point of the past at which an answer is true. */
export type Asked = {
  /** The last event that was folded in; 0 before the first. */
  readonly position: Position;
  /** The instant that is asked about; live, the present one. */
  readonly now: Instant;
};

/* eslint-disable-next-line @typescript-eslint/no-explicit-any -- who keeps questions of all sorts keeps `Question` */
export interface Question<View = any> {
  readonly title: string;
  /** In a sentence. */
  readonly about: string;
  /** How much the view remembers at most, or what it grows with. */
  readonly bounds: string;
  readonly options?: { readonly [name: string]: Option };
  /** Events of other types are not even parsed. Absent: all events. */
  readonly hears?: readonly Happening['type'][];
  /** The only stream it hears, where there is just one: that is then all that is read. */
  streamOf?(given: Given): StreamName;
  /** It must hear what was before `since` to understand what comes after, and leaves it uncounted itself. */
  readonly learns?: true;

  /** Throws an Error whose message a person understands, when the options make no sense. */
  empty(given: Given): View;
  /** The view after one more event; the same object, changed, is fine. No clock, no chance, no file: nothing but these two. */
  fold(view: View, event: Happening): View;
  /** One of the two: the answer as it stands, or what the last event folded in has to say, a line each. */
  answer?(view: View, asked: Asked): Answer;
  said?(view: View): readonly string[];
}

/** What a question says of itself: all of it that leaves its cage. */
export type Declared = Pick<
  Question,
  'title' | 'about' | 'bounds' | 'options' | 'hears' | 'learns'
> & {
  /** It has `said`: it goes line by line. */
  readonly byLine?: boolean;
};

/** A question by its name: that of its file. */
export type Named = { readonly name: string; readonly question: Declared };

/** Why a question does not go on. Its texts may quote a stranger's. */
export type Parked = {
  /** While it heard events; or while it was giving its answer. */
  readonly during: 'fold' | 'answer';
  /** The event that it was folding, where that is known. */
  readonly event?: Pick<Happening, 'position' | 'stream' | 'revision' | 'type'>;
  readonly error: string;
  /** `file:line:column` of the place in its code, where the error tells. */
  readonly where?: string;
  /** It would not get that far a second time, either. */
  readonly memory?: true;
};
