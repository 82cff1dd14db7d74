/**
 * Whose each letter that is not done is: `by` of its last `MessageAdopted`, else `owner` of its
 * `MessageAccepted`. Some thirty bytes a letter, so that a long queue fits.
 */
import { LetterIds } from '../../projections/letter-ids.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { Incarnation } from './events.ts';
import { eldest, heirOf, type Leases } from './leases.ts';

/** Of letters that came into the log before there were several nodes. */
export const nobody: Incarnation = '';

/** `adopt`: fell to us with somebody's lease; ours as soon as its stream says so. */
export type Own = 'mine' | 'adopt' | 'other';

export class Owners {
  readonly #letters = new LetterIds();
  #owner = new Uint32Array(1024);
  readonly #names: Incarnation[] = [];
  readonly #numbers = new Map<Incarnation, number>();
  /** Letters of each. */
  readonly #counts: number[] = [];

  get size(): number {
    return this.#letters.size;
  }

  /** `undefined`: the letter is done, or there is none. */
  get(message: MessageId): Incarnation | undefined {
    const letter = this.#letters.numberOf(message);
    return letter < 0 ? undefined : this.#names[this.#owner[letter]!];
  }

  set(message: MessageId, owner: Incarnation): void {
    let letter = this.#letters.numberOf(message);
    if (letter < 0) letter = this.#add(message);
    else this.#counts[this.#owner[letter]!]! -= 1;
    const number = this.#numberOf(owner);
    this.#owner[letter] = number;
    this.#counts[number]! += 1;
  }

  delete(message: MessageId): void {
    const letter = this.#letters.numberOf(message);
    if (letter < 0) return;
    this.#counts[this.#owner[letter]!]! -= 1;
    this.#letters.remove(letter);
  }

  /** Those that have letters. */
  owners(): readonly Incarnation[] {
    return this.#names.filter((_, number) => this.#counts[number]! > 0);
  }

  count(owner: Incarnation): number {
    const number = this.#numbers.get(owner);
    return number === undefined ? 0 : this.#counts[number]!;
  }

  /** The letters of one, oldest first. */
  *of(owner: Incarnation): Generator<MessageId> {
    const number = this.#numbers.get(owner);
    for (const letter of this.#letters.numbers()) {
      if (this.#owner[letter] === number) yield this.#letters.nameOf(letter);
    }
  }

  #add(message: MessageId): number {
    const letter = this.#letters.add(message);
    if (letter < this.#owner.length) return letter;
    const wider = new Uint32Array(this.#letters.room);
    wider.set(this.#owner);
    this.#owner = wider;
    return letter;
  }

  #numberOf(owner: Incarnation): number {
    const known = this.#numbers.get(owner);
    if (known !== undefined) return known;
    const number = this.#names.push(owner) - 1;
    this.#numbers.set(owner, number);
    this.#counts.push(0);
    return number;
  }
}

export function own(owners: Owners, leases: Leases, message: MessageId, self: Incarnation): Own {
  const owner = owners.get(message);
  if (owner === self) return 'mine';
  return owner !== undefined && fallsTo(owner, leases, self) ? 'adopt' : 'other';
}

/** What was nobody's is for whoever began first. */
const fallsTo = (owner: Incarnation, leases: Leases, self: Incarnation): boolean =>
  (owner === nobody ? eldest(leases) : heirOf(leases, owner)) === self;

/** Up to `most` letters that fell to us and do not say so yet, with whose they were. */
export function inherited(
  owners: Owners,
  leases: Leases,
  self: Incarnation,
  most = Infinity,
): readonly (readonly [MessageId, Incarnation])[] {
  const letters: (readonly [MessageId, Incarnation])[] = [];
  for (const owner of owners.owners()) {
    if (owner === self || !fallsTo(owner, leases, self)) continue;
    for (const message of owners.of(owner)) {
      if (letters.length >= most) return letters;
      letters.push([message, owner]);
    }
  }
  return letters;
}
