/**
 * An operator's word that a node is gone for good, so that nobody waits for the end of what it had begun. Nobody
 * can know that but a person; all the log can say is that the node has written nothing meanwhile.
 */
import type { EventLog } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Instant } from '../platform/clock.ts';
import { leaseStream, type Incarnation, type LeaseEvent } from './events.ts';
import { isSurelyOver, type Lease, type Leases } from './leases.ts';

/** Fewer characters of an incarnation may be many a node's. */
const leastCharacters = 8;

/** Lives of that name, or the one with that incarnation (its beginning will do). */
export const called = (leases: Leases, text: string): readonly Lease[] =>
  [...leases.values()].filter(
    ({ node, incarnation }) =>
      node === text || (text.length >= leastCharacters && incarnation.startsWith(text)),
  );

/** Of which something may be under way still, as far as anybody knows. */
export const undecided = (leases: Leases, among: readonly Lease[]): readonly Lease[] =>
  among.filter(({ incarnation }) => !isSurelyOver(leases, incarnation));

export type GoneWord = {
  readonly incarnation: Incarnation;
  /** The last one seen: whatever its node has said since keeps the word from being written. */
  readonly revision: number;
  readonly by: string;
  readonly why: string;
  readonly at: Instant;
};

/** Resolves with whether it stands now; if not, the node has spoken, or another has about it. */
export async function declareGone(
  log: Pick<EventLog, 'append'>,
  { incarnation, revision, by, why, at }: GoneWord,
): Promise<boolean> {
  const event: LeaseEvent = { type: 'LeaseDeclaredGone', v: 1, at, data: { by, why } };
  try {
    await log.append(leaseStream(incarnation), revision, [event]);
    return true;
  } catch (cause) {
    if (!isTrouble(cause, 'revision-conflict')) throw cause;
    return false;
  }
}
