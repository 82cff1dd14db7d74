/** What was found damaged so far; each place is reported once, however often it is read. */
import type { Damage } from '../ports.ts';

/** More are neither kept nor told of: whoever may write to an event store could fill memory with them. */
const mostKept = 10_000;

export class Damages {
  readonly #found = new Map<string, Damage>();
  readonly #onDamage: (damage: Damage) => void;

  constructor(onDamage: (damage: Damage) => void = () => undefined) {
    this.#onDamage = onDamage;
  }

  report(damage: Damage): void {
    // A place in the log is one damage; only where the place is unknown does the stream tell it apart.
    const place = damage.position > 0 ? String(damage.position) : `${damage.stream} ${damage.what}`;
    if (this.#found.has(place) || this.#found.size >= mostKept) return;
    this.#found.set(place, damage);
    this.#onDamage(damage);
  }

  all(): readonly Damage[] {
    return [...this.#found.values()];
  }
}
