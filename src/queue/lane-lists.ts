/**
 * The due rows of one channel: a pair of lists per lane (new mail, retries), and two rings of lanes
 * that have any, the sound ones and those in trouble. Adding, removing from the middle and taking
 * cost the same however many rows wait.
 */

const none = -1;

type Ends = { head: number; tail: number };
type Lane = {
  readonly fresh: Ends;
  readonly retries: Ends;
  retryNext: boolean;
  troubled: boolean;
  /** The lane's place in its ring; any other place of it is left over from before it changed rings. */
  place: Place | undefined;
};

type Place = { readonly lane: number };

/** Lanes in the order of their turns. */
type Ring = { places: Place[]; turn: number };

export class LaneLists {
  readonly #lanes = new Map<number, Lane>();
  readonly #sound: Ring = { places: [], turn: 0 };
  readonly #troubled: Ring = { places: [], turn: 0 };
  #next = new Int32Array(1024).fill(none);
  #previous = new Int32Array(1024).fill(none);

  add(row: number, lane: number, isRetry: boolean, troubled: boolean): void {
    this.#makeRoom(row);
    const lists = this.#lanes.get(lane) ?? this.#open(lane);
    this.#enterRing(lists, lane, troubled);
    const ends = isRetry ? lists.retries : lists.fresh;
    this.#previous[row] = ends.tail;
    this.#next[row] = none;
    if (ends.tail === none) ends.head = row;
    else this.#next[ends.tail] = row;
    ends.tail = row;
  }

  /** The lane's trouble began or ended: it changes rings at once, or nobody might ask for it again. */
  mark(lane: number, troubled: boolean): void {
    const lists = this.#lanes.get(lane);
    if (lists !== undefined) this.#enterRing(lists, lane, troubled);
  }

  remove(row: number, lane: number, isRetry: boolean): void {
    const lists = this.#lanes.get(lane);
    if (lists === undefined) return;
    const ends = isRetry ? lists.retries : lists.fresh;
    const before = this.#previous[row]!;
    const after = this.#next[row]!;
    if (before === none) ends.head = after;
    else this.#next[before] = after;
    if (after === none) ends.tail = before;
    else this.#previous[after] = before;
  }

  /** Takes the next row, from the first lane in turn that may run; that lane's turn then passes. */
  take(kind: 'sound' | 'troubled', mayRun: (lane: number) => boolean): number | undefined {
    const ring = kind === 'sound' ? this.#sound : this.#troubled;
    for (let asked = ring.places.length - ring.turn; asked > 0; asked -= 1) {
      const place = ring.places[ring.turn]!;
      ring.turn += 1;
      compact(ring);
      const { lane } = place;
      const lists = this.#lanes.get(lane);
      if (lists?.place !== place) continue;
      if (isEmpty(lists)) {
        // Emptied by removals from the middle; it comes back with its next row.
        this.#lanes.delete(lane);
        continue;
      }
      ring.places.push(place);
      if (mayRun(lane)) return this.#takeFrom(lists, lane);
    }
    return undefined;
  }

  /** The rows of a lane, the kind asked for before the other, each in the order in which they came. */
  *rowsOf(lane: number, retriesFirst: boolean): Generator<number> {
    const lists = this.#lanes.get(lane);
    if (lists === undefined) return;
    const { fresh, retries } = lists;
    for (const { head } of retriesFirst ? [retries, fresh] : [fresh, retries]) {
      for (let row = head; row !== none; row = this.#next[row]!) yield row;
    }
  }

  #enterRing(lists: Lane, lane: number, troubled: boolean): void {
    if (lists.place !== undefined && lists.troubled === troubled) return;
    lists.troubled = troubled;
    lists.place = { lane };
    (troubled ? this.#troubled : this.#sound).places.push(lists.place);
  }

  #takeFrom(lists: Lane, lane: number): number {
    const wantsRetry = lists.retryNext;
    lists.retryNext = !wantsRetry;
    const preferred = wantsRetry ? lists.retries : lists.fresh;
    const isRetry = preferred.head === none ? !wantsRetry : wantsRetry;
    const row = (isRetry ? lists.retries : lists.fresh).head;
    this.remove(row, lane, isRetry);
    return row;
  }

  #open(lane: number): Lane {
    const lists: Lane = {
      fresh: { head: none, tail: none },
      retries: { head: none, tail: none },
      retryNext: false,
      troubled: false,
      place: undefined,
    };
    this.#lanes.set(lane, lists);
    return lists;
  }

  #makeRoom(row: number): void {
    if (row < this.#next.length) return;
    const size = Math.max(row + 1, this.#next.length * 2);
    this.#next = grown(this.#next, size);
    this.#previous = grown(this.#previous, size);
  }
}

function compact(ring: Ring): void {
  if (ring.turn < 1024 || ring.turn * 2 < ring.places.length) return;
  ring.places = ring.places.slice(ring.turn);
  ring.turn = 0;
}

const isEmpty = ({ fresh, retries }: Lane): boolean => fresh.head === none && retries.head === none;

function grown(from: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(size).fill(none);
  to.set(from);
  return to;
}
