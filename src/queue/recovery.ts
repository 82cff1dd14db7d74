/**
 * After a start: attempts that were recorded as started and never as ended. Their makers are dead
 * (the lock of the data directory is ours), so each is in doubt: said so in the log, then retried or
 * held as the operator wants it.
 */
import { rowStatus } from '../../projections/agenda-rows.ts';
import type { Agenda } from '../../projections/agenda.ts';
import type { MessageId } from '../mail/envelope.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import type { Letters } from './letters.ts';

export type Recovered = {
  readonly inDoubt: number;
  /** Letters that could not be read back, to be left alone. */
  readonly unreadable: readonly MessageId[];
};

export async function resolveDoubts(parts: {
  readonly agenda: Agenda;
  readonly letters: Letters;
  readonly policy: 'retry' | 'hold';
  readonly clock: Clock;
  /** Where several nodes share the log: others' attempts may be under way. */
  readonly isMine?: (message: MessageId) => boolean;
  /** Told why, for each of the `unreadable`. */
  readonly onUnreadable?: (message: MessageId, why: string) => void;
}): Promise<Recovered> {
  const { agenda, letters, policy, clock, isMine = () => true, onUnreadable } = parts;
  const unreadable: MessageId[] = [];
  let inDoubt = 0;
  const settle = async (message: MessageId): Promise<void> => {
    try {
      const { open } = await letters.state(message);
      for (const attempt of [...open.keys()]) {
        const why = 'Delivery was interrupted by a restart.';
        const at = clock.now();
        await letters.handle(message, { type: 'DoubtAttempt', attempt, policy, why, at });
        inDoubt += 1;
      }
    } catch (cause) {
      if (!isTrouble(cause, 'log-damaged')) throw cause;
      unreadable.push(message);
      onUnreadable?.(message, cause.message);
    }
  };
  // Side by side, so that they share commits.
  await Promise.all(interrupted(agenda).filter(isMine).map(settle));
  return { inDoubt, unreadable };
}

/** Letters with a recipient under attempt. Bounded by the slots of the process that died. */
function interrupted({ rows }: Agenda): MessageId[] {
  const found: MessageId[] = [];
  for (const letter of rows.openLetters()) {
    for (const row of rows.rowsOf(letter)) {
      if (rows.status[row] !== rowStatus.attempting) continue;
      found.push(rows.idOf(letter));
      break;
    }
  }
  return found;
}
