/**
 * Letters that come from another node: said so in their streams, and what that node had begun and nobody
 * knows the end of.
 */
import { filter, mergeMap, Observable } from 'rxjs';
import { rowStatus } from '../../projections/agenda-rows.ts';
import type { Agenda } from '../../projections/agenda.ts';
import type { MessageId } from '../mail/envelope.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Incarnation } from '../nodes/events.ts';
import type { Clock, Instant } from '../platform/clock.ts';
import type { QueueCommand } from './commands.ts';
import type { Letters } from './letters.ts';

/** Resolves also when the letter is done, or somebody else's by now. `from` `''`: it was nobody's. */
export const adopter =
  ({ letters, clock, self }: Pick<DoubtParts, 'letters' | 'clock' | 'self'>) =>
  async (message: MessageId, from: Incarnation): Promise<void> => {
    const was = from === '' ? undefined : from;
    const at = clock.now();
    await letters.handle(message, { type: 'AdoptMessage', by: self, from: was, at });
  };

export type DoubtParts = {
  readonly agenda: Agenda;
  readonly letters: Letters;
  readonly clock: Clock;
  readonly self: Incarnation;
  readonly policy: 'retry' | 'hold';
  /** Whether no attempt of that node can be under way any more. */
  readonly isOver: (maker: Incarnation) => boolean;
  /** What `isOver` says may have changed. */
  readonly changed$: Observable<unknown>;
  readonly onTrouble: (message: MessageId, cause: unknown) => void;
  /** After trouble; default 5,000. */
  readonly pauseMs?: number;
};

/**
 * For each letter that we have adopted: its former owner's attempts become doubtful when they cannot be
 * under way any more. Until then a verdict of the former owner is welcome, and settles it.
 */
export function doubts(adopted$: Observable<MessageId>, parts: DoubtParts): Observable<unknown> {
  return adopted$.pipe(
    filter((message) => isUnderAttempt(parts.agenda, message)),
    // Bounded by the slots of those that are gone.
    mergeMap((message) => settled(message, parts)),
  );
}

function isUnderAttempt({ rows }: Agenda, message: MessageId): boolean {
  const letter = rows.letterNo(message);
  if (letter === undefined) return false;
  for (const row of rows.rowsOf(letter)) {
    if (rows.status[row] === rowStatus.attempting) return true;
  }
  return false;
}

/** Completes when no attempt of others is open, or the letter is not ours. */
function settled(message: MessageId, parts: DoubtParts): Observable<never> {
  const { clock, pauseMs = 5_000 } = parts;
  return new Observable<never>((subscriber) => {
    let cancel = (): void => undefined;
    let looking = false;
    const look = async (): Promise<void> => {
      if (looking) return;
      looking = true;
      const again = await doubtWhatIsOver(message, parts).catch((cause: unknown) => {
        parts.onTrouble(message, cause);
        return isTrouble(cause) && cause.tryAgain ? ('soon' as const) : undefined;
      });
      looking = false;
      if (subscriber.closed) return;
      if (again === undefined) return subscriber.complete();
      cancel();
      const lookAgain = () => void look();
      cancel = again === 'soon' ? clock.after(pauseMs, lookAgain) : clock.at(again, lookAgain);
    };
    void look();
    const changes = parts.changed$.subscribe(() => void look());
    return () => {
      changes.unsubscribe();
      cancel();
    };
  });
}

/** Resolves with when to look again, if there is anything left to look for. */
async function doubtWhatIsOver(
  message: MessageId,
  { letters, clock, self, policy, isOver }: DoubtParts,
): Promise<Instant | undefined> {
  const { open, owner } = await letters.state(message);
  if (owner !== self) return undefined;
  let next: Instant | undefined;
  for (const [attempt, { by, untilAt }] of [...open]) {
    if (by === self) continue;
    const at = clock.now();
    if (at < untilAt && by !== undefined && !isOver(by)) {
      next = Math.min(next ?? untilAt, untilAt);
      continue;
    }
    const why = 'The node that made the attempt is gone.';
    const doubt: QueueCommand = { type: 'DoubtAttempt', attempt, policy, why, at };
    await letters.handleWith(message, (state) => (state.owner === self ? doubt : undefined));
  }
  return next;
}
