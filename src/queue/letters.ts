/**
 * The command handler: the one place where a decision becomes events. Load, decide, append at the
 * exact revision; on a conflict load again and decide anew; on an unknown outcome repeat the
 * identical append first. One command at a time per letter, any number of letters side by side.
 *
 * The state of letters in work is kept in memory, so that a letter that goes straight through is
 * never read back. Dropping it at any moment is harmless.
 */
import { noStream, type EventLog, type NewEvent, type Revision } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import type { StagedBody } from '../spool/ports.ts';
import type { QueueCommand } from './commands.ts';
import { decide } from './decider.ts';
import { messageStream, type QueueEvent } from './events.ts';
import { evolve, initial, type QueueState } from './state.ts';

export interface Letters {
  /** Decides and records; resolves with the events when they are durable, `[]` when nothing followed. */
  handle(
    message: MessageId,
    command: QueueCommand,
    body?: StagedBody,
  ): Promise<readonly QueueEvent[]>;
  /** As `handle`, with a command that is made from the letter's present state (or `undefined`: do nothing). */
  handleWith(
    message: MessageId,
    make: (state: Readonly<QueueState>) => QueueCommand | undefined,
  ): Promise<readonly QueueEvent[]>;
  /** What is true of the letter; throws `not-found` when there is no such letter. */
  state(message: MessageId): Promise<Readonly<QueueState>>;
}

type Letter = {
  state: QueueState;
  revision: Revision;
};

type Kept = { letter: Letter | undefined; tail: Promise<unknown>; users: number };

export type LettersOptions = {
  readonly log: EventLog;
  /** How many letters' states are kept besides those being worked on; default 2,000. */
  readonly keep?: number;
  readonly conflictRetries?: number;
};

export function openLetters({ log, keep = 2_000, conflictRetries = 5 }: LettersOptions): Letters {
  const kept = new Map<MessageId, Kept>();

  /** Runs `work` when all earlier work on this letter is done. */
  function inTurn<T>(message: MessageId, work: (slot: Kept) => Promise<T>): Promise<T> {
    const slot = kept.get(message) ?? { letter: undefined, tail: Promise.resolve(), users: 0 };
    kept.set(message, slot);
    slot.users += 1;
    const result = slot.users === 1 ? work(slot) : slot.tail.then(() => work(slot));
    slot.tail = result.then(nothing, nothing).then(() => {
      slot.users -= 1;
      if (slot.users === 0) tidy(message, slot);
    });
    return result;
  }

  /** Finished letters leave memory at once, others when there are too many. */
  function tidy(message: MessageId, slot: Kept): void {
    if (slot.letter === undefined || slot.letter.state.done) kept.delete(message);
    if (kept.size <= keep) return;
    for (const [id, other] of kept) {
      if (other.users === 0) kept.delete(id);
      if (kept.size <= keep) break;
    }
  }

  async function load(message: MessageId): Promise<Letter> {
    const events = await log.readStream(messageStream(message));
    const state = initial();
    for (const event of events) evolve(state, event as NewEvent as QueueEvent);
    return { state, revision: events.at(-1)?.revision ?? noStream };
  }

  async function run(
    message: MessageId,
    slot: Kept,
    make: (letter: Letter) => QueueCommand | undefined,
    body: StagedBody | undefined,
  ): Promise<readonly QueueEvent[]> {
    for (let tries = 0; ; tries += 1) {
      slot.letter ??= await load(message);
      const { letter } = slot;
      const command = make(letter);
      const events = command === undefined ? [] : decide(command, letter.state);
      if (events.length === 0) return [];
      try {
        const { revision } = await appendSurely(message, letter.revision, events, body);
        for (const event of events) evolve(letter.state, event);
        letter.revision = revision;
        return events;
      } catch (cause) {
        slot.letter = undefined;
        if (!isTrouble(cause, 'revision-conflict') || tries >= conflictRetries) throw cause;
      }
    }
  }

  /** After an unknown outcome the identical append is asked once more: it says what came of the first. */
  async function appendSurely(
    message: MessageId,
    expected: Revision,
    events: readonly QueueEvent[],
    body: StagedBody | undefined,
  ) {
    const stream = messageStream(message);
    try {
      return await log.append(stream, expected, events, body);
    } catch (cause) {
      if (!isTrouble(cause, 'log-unavailable')) throw cause;
      return await log.append(stream, expected, events, body);
    }
  }

  return {
    handle: (message, command, body) =>
      inTurn(message, (slot) => {
        // A letter that only now comes in has no past to load. One that we make ourselves may have: it
        // is made again after a stop, and the log takes the same words as a repetition.
        if (command.type === 'AcceptMessage' && command.parent === undefined) {
          slot.letter ??= { state: initial(), revision: noStream };
        }
        return run(message, slot, () => command, body);
      }),
    handleWith: (message, make) =>
      inTurn(message, (slot) =>
        run(
          message,
          slot,
          ({ state, revision }) => (revision === noStream ? undefined : make(state)),
          undefined,
        ),
      ),
    state: (message) =>
      inTurn(message, async (slot) => {
        slot.letter ??= await load(message);
        if (slot.letter.revision !== noStream) return slot.letter.state;
        throw new Trouble('not-found', { tryAgain: false, peer: `no letter ${message}` });
      }),
  };
}

const nothing = (): void => undefined;
