/** Numbers for the lanes that rows are in: a name has one as long as somebody uses it, then another may have it. */
import type { LaneNo } from './agenda-rows.ts';

export class LaneNames {
  readonly #names: (string | undefined)[] = [];
  readonly #uses: number[] = [];
  readonly #free: LaneNo[] = [];
  readonly #byName = new Map<string, LaneNo>();

  /** All numbers are below it. */
  get room(): number {
    return this.#names.length;
  }

  /** Of a lane in use. */
  nameOf(lane: LaneNo): string {
    return this.#names[lane]!;
  }

  /** The number of a lane in use. */
  numberOf(name: string): LaneNo | undefined {
    return this.#byName.get(name);
  }

  use(name: string, times: number): LaneNo {
    const known = this.#byName.get(name);
    if (known !== undefined) {
      this.#uses[known]! += times;
      return known;
    }
    const lane = this.#free.pop() ?? this.#names.length;
    this.#names[lane] = name;
    this.#uses[lane] = times;
    this.#byName.set(name, lane);
    return lane;
  }

  leave(lane: LaneNo): void {
    this.#uses[lane]! -= 1;
    if (this.#uses[lane]! > 0) return;
    this.#byName.delete(this.#names[lane]!);
    this.#names[lane] = undefined;
    this.#free.push(lane);
  }
}
