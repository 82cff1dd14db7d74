/**
 * The command handler: the one place where a decision becomes events. Load, decide, append at the
 * exact revision; on a conflict load again and decide anew; on an unknown outcome repeat the
 * identical append first. Commands to one letter are decided one after the other, and those that wait
 * for an append go together in the next; any number of letters side by side.
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
  /** The log has that revision: where somebody else wrote it, what is kept in memory is out of date. */
  heard(message: MessageId, revision: Revision): void;
}

type Letter = {
  state: QueueState;
  revision: Revision;
};

/** What was asked of a letter and waits for its turn. */
type Turn = {
  readonly make: (letter: Letter) => QueueCommand | undefined;
  /** Only of a letter that is being accepted. */
  readonly body: StagedBody | undefined;
  /** Takes its turn alone: it is the letter's first, or wants to see what is durable. */
  readonly alone: 'accepts' | 'reads' | undefined;
  resolve(events: readonly QueueEvent[], letter: Letter): void;
  reject(cause: unknown): void;
};

/** `weight`: recipients, as they count towards `keepRecipients`. */
type Kept = {
  letter: Letter | undefined;
  readonly turns: Turn[];
  working: boolean;
  weight: number;
};

export type LettersOptions = {
  readonly log: Pick<EventLog, 'append' | 'readStream'>;
  /** How many letters' states are kept besides those being worked on; default 5,000. */
  readonly keep?: number;
  /** How many recipients those letters may have together, at some 500 bytes each; default 200,000. */
  readonly keepRecipients?: number;
  readonly conflictRetries?: number;
};

/** More are worth the place of others. */
const fewRecipients = 20;

/** A letter to thousands that was tried for days has some hundred thousand events: they are read in pages. */
const pageEvents = 10_000;

export function openLetters(options: LettersOptions): Letters {
  const { log, keep = 5_000, keepRecipients = 200_000, conflictRetries = 5 } = options;
  const kept = new Map<MessageId, Kept>();
  let weight = 0;

  function inTurn(message: MessageId, turn: Turn): void {
    let slot = kept.get(message);
    if (slot === undefined) {
      slot = { letter: undefined, turns: [], working: false, weight: 0 };
      kept.set(message, slot);
    }
    slot.turns.push(turn);
    if (!slot.working) void work(message, slot);
  }

  /** Never rejects: whoever asked hears what became of it. */
  async function work(message: MessageId, slot: Kept): Promise<void> {
    slot.working = true;
    while (slot.turns.length > 0) await take(message, slot, nextTurns(slot.turns));
    slot.working = false;
    tidy(message, slot);
  }

  /**
   * Letters that are finished, or wait for another try, leave memory at once. When there are too many,
   * the one that came last goes: the others have their turn before it. One with many recipients stays,
   * since it has many turns and is dear to load.
   */
  function tidy(message: MessageId, slot: Kept): void {
    const { letter } = slot;
    if (letter === undefined || isAtRest(letter.state)) return drop(message, slot);
    weight += letter.state.recipients.length - slot.weight;
    slot.weight = letter.state.recipients.length;
    const isTooMuch = kept.size > keep || weight > keepRecipients;
    if (isTooMuch && slot.weight <= fewRecipients) return drop(message, slot);
    for (const [id, other] of kept) {
      if ((kept.size <= keep && weight <= keepRecipients) || other === slot) break;
      if (!other.working) drop(id, other);
    }
  }

  function drop(message: MessageId, slot: Kept): void {
    weight -= slot.weight;
    slot.weight = 0;
    kept.delete(message);
  }

  async function load(message: MessageId): Promise<Letter> {
    const letter: Letter = { state: initial(), revision: noStream };
    for (;;) {
      const page = { from: letter.revision + 1, limit: pageEvents };
      const events = await log.readStream(messageStream(message), page);
      for (const event of events) evolve(letter.state, event as NewEvent as QueueEvent);
      letter.revision = events.at(-1)?.revision ?? letter.revision;
      if (events.length < pageEvents) return letter;
    }
  }

  /** Turns taken together are one append: a letter to thousands, tried in many places at once, shares its commits. */
  async function take(message: MessageId, slot: Kept, turns: readonly Turn[]): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        slot.letter ??=
          tries === 0 && turns[0]?.alone === 'accepts'
            ? { state: initial(), revision: noStream }
            : await load(message);
        const { letter } = slot;
        const answers = turns.map((turn) => follow(turn, letter));
        const events = answers.length === 1 ? answers[0]! : answers.flat();
        if (events.length > 0) {
          const { body } = turns[0]!;
          const { revision } = await appendSurely(message, letter.revision, events, body);
          letter.revision = revision;
        }
        turns.forEach((turn, index) => turn.resolve(answers[index]!, letter));
        return;
      } catch (cause) {
        // What was concluded may not be so.
        slot.letter = undefined;
        if (isTrouble(cause, 'revision-conflict') && tries < conflictRetries) continue;
        // A bug is the trouble of whoever has it, and not of those who share its append.
        const isShared = turns.length > 1 && !isTrouble(cause);
        if (!isShared) turns.forEach((turn) => turn.reject(cause));
        else for (const turn of turns) await take(message, slot, [turn]);
        return;
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

  const ask = (message: MessageId, make: Turn['make'], alone?: Turn['alone'], body?: StagedBody) =>
    new Promise<readonly QueueEvent[]>((resolve, reject) => {
      inTurn(message, { make, alone, body, resolve, reject });
    });
  return {
    handle(message, command, body) {
      const make = () => command;
      if (command.type !== 'AcceptMessage') return ask(message, make);
      // A letter that only now comes in has no past to load. One that we make ourselves may have: it
      // is made again after a stop, and the log takes the same words as a repetition.
      const isNew = command.parent === undefined;
      return ask(message, make, isNew ? 'accepts' : 'reads', body);
    },
    handleWith: (message, make) =>
      ask(message, ({ state, revision }) => (revision === noStream ? undefined : make(state))),
    heard(message, revision) {
      const slot = kept.get(message);
      if (slot?.letter === undefined || slot.working) return;
      if (slot.letter.revision < revision) drop(message, slot);
    },
    state: (message) =>
      new Promise((resolve, reject) => {
        inTurn(message, {
          ...{ make: () => undefined, alone: 'reads', body: undefined, reject },
          resolve(_, { state, revision }) {
            if (revision !== noStream) resolve(state);
            else
              reject(new Trouble('not-found', { tryAgain: false, peer: `no letter ${message}` }));
          },
        });
      }),
  };
}

const nothing: readonly QueueEvent[] = [];

/** What follows from one turn, which the next one already sees. */
function follow({ make }: Turn, letter: Letter): readonly QueueEvent[] {
  const command = make(letter);
  if (command === undefined) return nothing;
  const events = decide(command, letter.state);
  for (const event of events) evolve(letter.state, event);
  return events;
}

/** One append is not to grow without bound. */
const turnsAtOnce = 50;

/** Takes those off that may share an append. */
function nextTurns(turns: Turn[]): readonly Turn[] {
  if (turns.length === 1) return [turns.pop()!];
  let count = 0;
  while (count < Math.min(turns.length, turnsAtOnce) && turns[count]?.alone === undefined)
    count += 1;
  return turns.splice(0, Math.max(1, count));
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
