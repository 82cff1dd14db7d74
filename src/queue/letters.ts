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
import { KeptLetters, type Letter, type Slot } from './kept-letters.ts';
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

export type LettersOptions = {
  readonly log: Pick<EventLog, 'append' | 'readStream'>;
  /** How many letters' states are kept besides those being worked on; default 5,000. */
  readonly keep?: number;
  /** How many recipients those letters may have together, at some 500 bytes each; default 200,000. */
  readonly keepRecipients?: number;
  readonly conflictRetries?: number;
};

export function openLetters(options: LettersOptions): Letters {
  const { log, keep = 5_000, keepRecipients = 200_000, conflictRetries = 5 } = options;
  const kept = new KeptLetters<Turn>(keep, keepRecipients);

  function inTurn(message: MessageId, turn: Turn): void {
    const slot = kept.slotOf(message);
    slot.turns.push(turn);
    if (!slot.working) void work(message, slot);
  }

  /** Never rejects: whoever asked hears what became of it. */
  async function work(message: MessageId, slot: Slot<Turn>): Promise<void> {
    slot.working = true;
    while (slot.turns.length > 0) await take(message, slot, nextTurns(slot.turns));
    slot.working = false;
    kept.settle(message, slot);
  }

  /** Turns taken together are one append: a letter to thousands, tried in many places at once, shares its commits. */
  async function take(message: MessageId, slot: Slot<Turn>, turns: readonly Turn[]): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        slot.letter ??=
          tries === 0 && turns[0]?.alone === 'accepts'
            ? { state: initial(), revision: noStream }
            : await load(log, message);
        const { letter } = slot;
        const answers = turns.map((turn) => follow(turn, letter));
        const events = answers.length === 1 ? answers[0]! : answers.flat();
        if (events.length > 0) {
          const { body } = turns[0]!;
          const { revision } = await appendSurely(log, message, letter.revision, events, body);
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
    heard: (message, revision) => kept.heard(message, revision),
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

/** A letter to thousands that was tried for days has some hundred thousand events: they are read in pages. */
const pageEvents = 10_000;

async function load(log: LettersOptions['log'], message: MessageId): Promise<Letter> {
  const letter: Letter = { state: initial(), revision: noStream };
  for (;;) {
    const page = { from: letter.revision + 1, limit: pageEvents };
    const events = await log.readStream(messageStream(message), page);
    for (const event of events) evolve(letter.state, event as NewEvent as QueueEvent);
    letter.revision = events.at(-1)?.revision ?? letter.revision;
    if (events.length < pageEvents) return letter;
  }
}

/** After an unknown outcome the identical append is asked once more: it says what came of the first. */
async function appendSurely(
  log: LettersOptions['log'],
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
