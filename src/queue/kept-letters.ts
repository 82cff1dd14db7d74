/** The states of letters in work, in memory, so that a letter that goes straight through is never read back. */
import type { Revision } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { QueueState } from './state.ts';

export type Letter = {
  state: QueueState;
  revision: Revision;
};

/** A letter's place: what is known of it, and what waits for its turn. `weight`: recipients, as they count. */
export type Slot<Turn> = {
  letter: Letter | undefined;
  readonly turns: Turn[];
  working: boolean;
  weight: number;
};

/** Letters with more recipients are worth the place of others. */
const fewRecipients = 20;

/** Dropping any slot that nobody works on, at any moment, is harmless: its letter is loaded again. */
export class KeptLetters<Turn> {
  readonly #slots = new Map<MessageId, Slot<Turn>>();
  readonly #most: number;
  readonly #mostRecipients: number;
  #weight = 0;

  constructor(most: number, mostRecipients: number) {
    this.#most = most;
    this.#mostRecipients = mostRecipients;
  }

  slotOf(message: MessageId): Slot<Turn> {
    let slot = this.#slots.get(message);
    if (slot === undefined) {
      slot = { letter: undefined, turns: [], working: false, weight: 0 };
      this.#slots.set(message, slot);
    }
    return slot;
  }

  /** The log has that revision: where somebody else wrote it, what is kept is out of date. */
  heard(message: MessageId, revision: Revision): void {
    const slot = this.#slots.get(message);
    if (slot?.letter === undefined || slot.working) return;
    if (slot.letter.revision < revision) this.#drop(message, slot);
  }

  /**
   * After the work on a letter. What is finished, or waits for another try, leaves memory at once. When
   * there are too many, the one that came last goes: the others have their turn before it. One with many
   * recipients stays, since it has many turns and is dear to load.
   */
  settle(message: MessageId, slot: Slot<Turn>): void {
    const { letter } = slot;
    if (letter === undefined || isAtRest(letter.state)) return this.#drop(message, slot);
    this.#weight += letter.state.recipients.length - slot.weight;
    slot.weight = letter.state.recipients.length;
    if (this.#areTooMany() && slot.weight <= fewRecipients) return this.#drop(message, slot);
    for (const [id, other] of this.#slots) {
      if (!this.#areTooMany() || other === slot) break;
      if (!other.working) this.#drop(id, other);
    }
  }

  #areTooMany(): boolean {
    return this.#slots.size > this.#most || this.#weight > this.#mostRecipients;
  }

  #drop(message: MessageId, slot: Slot<Turn>): void {
    this.#weight -= slot.weight;
    slot.weight = 0;
    this.#slots.delete(message);
  }
}

/**
 * Nothing is under way, and nobody is left who was never tried: whatever comes next comes late, if at all.
 * A letter to many has its turns one after the other, and would be loaded again for each.
 */
const isAtRest = ({ done, open, recipients, unfinished }: QueueState): boolean =>
  done ||
  (unfinished > 0 &&
    recipients.length <= fewRecipients &&
    open.size === 0 &&
    !recipients.some(({ status, tries }) => status === 'waiting' && tries === 0));
