/**
 * How many slots each lane holds, and how many it may: dynamic thresholds (Choudhury and Hahne 1998), by
 * what is free. A sound lane may hold three times as many slots as are free, so that alone it gets three
 * quarters of them; a slow one half as many, so that three slow lanes leave eight of twenty to others. One
 * that is quick and alone gets nine tenths: the first who comes finds a slot, and the next in a moment.
 */

/** An attempt that takes longer makes its lane slow, until one takes less. */
export const slowMs = 1_000;

/** An attempt that takes no longer makes its lane quick, until one takes more. */
export const quickMs = 250;

/** Forgetting what a lane was like costs one more slow attempt. */
const mostRemembered = 100_000;

export class LaneShares {
  readonly #active = new Map<string, number>();
  readonly #troubled = new Set<string>();
  readonly #slow = new Set<string>();
  readonly #quick = new Set<string>();

  /** Slots the lane holds now. */
  of(lane: string): number {
    return this.#active.get(lane) ?? 0;
  }

  isTroubled(lane: string): boolean {
    return this.#troubled.has(lane);
  }

  mayHaveOneMore(lane: string, free: number): boolean {
    if (this.#slow.has(lane)) return this.of(lane) < Math.max(1, Math.floor(free / 2));
    const isAlone = this.#active.size === (this.#active.has(lane) ? 1 : 0);
    return this.of(lane) < (isAlone && this.#quick.has(lane) ? 9 : 3) * free;
  }

  take(lane: string): void {
    this.#active.set(lane, this.of(lane) + 1);
  }

  giveBack(lane: string, tookMs: number): void {
    const left = this.of(lane) - 1;
    if (left > 0) this.#active.set(lane, left);
    else this.#active.delete(lane);
    remember(this.#slow, lane, tookMs > slowMs);
    remember(this.#quick, lane, tookMs <= quickMs);
  }

  /** The lane's destination could not be reached at all, or could; whether that is news. */
  note(lane: string, trouble: boolean): boolean {
    if (this.#troubled.has(lane) === trouble) return false;
    remember(this.#troubled, lane, trouble);
    return true;
  }
}

function remember(lanes: Set<string>, lane: string, is: boolean): void {
  if (!is) lanes.delete(lane);
  else if (lanes.size < mostRemembered) lanes.add(lane);
}
