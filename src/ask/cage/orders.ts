/** What is said between a cage and whoever keeps it: one order, one answer, in order. All of it is JSON. */
import type { Position, StreamName } from '../../log/ports.ts';
import type { Answer, Asked, Declared, Given, Happening, Parked } from '../ports.ts';
import type { Unfit } from '../question-file.ts';

/** How long calls may take, milliseconds, and how much memory a question may take. */
export type Limits = {
  /** To load a file. */
  readonly loadMs: number;
  /** To fold one event, or to make an empty view. */
  readonly callMs: number;
  /** To answer. */
  readonly answerMs: number;
  readonly heapMiB: number;
};

export type Order =
  | { readonly kind: 'load'; readonly file: string }
  /** From the first event; also a second time. */
  | { readonly kind: 'start'; readonly given: Given }
  /** Only events that are the question's business. */
  | { readonly kind: 'fold'; readonly events: readonly Happening[] }
  | { readonly kind: 'answer'; readonly asked: Asked };

export type Reply =
  | { readonly kind: 'loaded'; readonly declared: Declared }
  | ({ readonly kind: 'unfit' } & Unfit)
  | { readonly kind: 'started'; readonly stream?: StreamName }
  /** The options make no sense to it. */
  | { readonly kind: 'mistaken'; readonly words: string }
  | {
      readonly kind: 'folded';
      /** What the events had to say, a line each, all in one text: many small ones take longer to pass on. */
      readonly lines?: string;
      /** Processor time that it took, milliseconds. */
      readonly ranMs: number;
      readonly parked?: Parked;
      /** The last event that it took, where it is parked. */
      readonly position: Position;
    }
  | { readonly kind: 'answered'; readonly answer?: Answer; readonly parked?: Parked };

/** Said without an order. */
export type News =
  /** It is at work, and has not been killed yet. */
  | { readonly kind: 'alive' }
  /** Last words: the code ended its own process, or something that it left behind failed. */
  | {
      readonly kind: 'ended';
      readonly why: string;
      readonly event?: Parked['event'];
      readonly position: Position;
    };
