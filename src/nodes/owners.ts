/** Whose each letter is: `by` of its last `MessageAdopted`, else `owner` of its `MessageAccepted`. */
import type { MessageId } from '../mail/envelope.ts';
import type { Incarnation } from './events.ts';
import { heirOf, type Leases } from './leases.ts';

/** `adopt`: fell to us with somebody's lease; ours as soon as its stream says so. */
export type Own = 'mine' | 'adopt' | 'other';

/** Of letters that are not done. */
export type Owners = Map<MessageId, Incarnation>;

export const own = (owners: Owners, leases: Leases, message: MessageId, self: Incarnation): Own => {
  const owner = owners.get(message);
  if (owner === self) return 'mine';
  return owner !== undefined && heirOf(leases, owner) === self ? 'adopt' : 'other';
};

/** Letters that fell to us and do not say so yet, with whose they were. */
export const inherited = (
  owners: Owners,
  leases: Leases,
  self: Incarnation,
): readonly (readonly [MessageId, Incarnation])[] =>
  [...owners].filter(([message]) => own(owners, leases, message, self) === 'adopt');
