/**
 * The youngest events, kept in memory so that a live subscriber costs no read.
 * Bounded in number and bytes: an older page is read from the log itself.
 */
import { Subject, type Observable } from 'rxjs';
import type { Position, RecordedEvent } from './ports.ts';

/** Twice as much is kept before the older part goes, so that shifting is paid once per `limit` events. */
const limit = 2_000;
const limitBytes = 32 * 1024 * 1024;

export class Tail {
  #events: RecordedEvent[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  /** Events up to and including this position are no longer here. */
  #floor: Position;
  readonly #moved = new Subject<Position>();

  constructor(head: Position) {
    this.#floor = head;
  }

  /** The head after each publication. */
  get moved$(): Observable<Position> {
    return this.#moved;
  }

  /** Position of the last event published, or where this tail began. */
  get head(): Position {
    return this.#events.at(-1)?.position ?? this.#floor;
  }

  /** `sizes`: bytes of each event's data, where they are known. */
  publish(events: readonly RecordedEvent[], sizes: readonly number[] = []): void {
    const last = events.at(-1);
    if (last === undefined) return;
    for (const [index, event] of events.entries()) {
      const size = sizes[index] ?? 0;
      this.#events.push(event);
      this.#sizes.push(size);
      this.#bytes += size;
    }
    if (this.#events.length > 2 * limit || this.#bytes > 2 * limitBytes) this.#shorten();
    this.#moved.next(last.position);
  }

  /** The page after `after`, or `undefined` when part of it is too old to be here. */
  page(after: Position, wanted: number): readonly RecordedEvent[] | undefined {
    if (after < this.#floor) return undefined;
    const start = this.#firstAfter(after);
    return this.#events.slice(start, start + wanted);
  }

  close(): void {
    this.#moved.complete();
  }

  #shorten(): void {
    let first = this.#events.length;
    let bytes = 0;
    while (first > 0 && this.#events.length - first < limit) {
      if (bytes + this.#sizes[first - 1]! > limitBytes) break;
      first -= 1;
      bytes += this.#sizes[first]!;
    }
    this.#floor = this.#events[first - 1]?.position ?? this.#floor;
    this.#events = this.#events.slice(first);
    this.#sizes = this.#sizes.slice(first);
    this.#bytes = bytes;
  }

  #firstAfter(after: Position): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.position <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
