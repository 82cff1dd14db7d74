/**
 * Is anybody home? Asked at RCPT, so that nobody gets a bounce for a letter he never sent.
 * A yes is kept for a few seconds: a list that writes to one user in many sessions asks once. A no is not:
 * whoever makes the file for a new address gets its mail at once.
 */
import type { Address } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import type { Clock, Moment } from '../platform/clock.ts';
import type { Directory } from './ports.ts';

/** Where routing would send an address, as far as a door needs to know. */
export type RouteOf = (recipient: Address) => {
  readonly channel: 'local' | 'remote';
  /** After envnoathost, percenthack and virtualdomains. */
  readonly address: Address;
};

/**
 * Whether the recipient, as the client named it, would be received; always, where the letter goes on.
 * Answers at once when it can. Rejects with a `Trouble` when nobody can tell now.
 */
export type RecipientCheck = (recipient: Address) => boolean | Promise<boolean>;

export type RecipientCheckParts = {
  readonly route: RouteOf;
  readonly directory: Directory;
  readonly clock: Clock;
  /** How long to wait for the directory. */
  readonly timeoutMs?: number;
  /** How long a yes is believed. */
  readonly cacheMs?: number;
  readonly cacheEntries?: number;
};

export function recipientCheck(parts: RecipientCheckParts): RecipientCheck {
  const { route, directory, clock, timeoutMs = 10_000 } = parts;
  const { cacheMs = 5_000, cacheEntries = 10_000 } = parts;
  /** Until when. In the order of insertion, which is the order of expiry. */
  const known = new Map<Address, Moment>();

  function remember(address: Address): void {
    known.delete(address);
    known.set(address, clock.steady() + cacheMs);
    const [oldest] = known.keys();
    if (known.size > cacheEntries && oldest !== undefined) known.delete(oldest);
  }

  return (recipient) => {
    const { channel, address } = route(recipient);
    if (channel !== 'local') return true;
    const until = known.get(address);
    if (until !== undefined && clock.steady() < until) return true;
    const answer = withDeadline(directory.receives(address), clock, timeoutMs);
    return answer.then((receives) => {
      if (receives) remember(address);
      return receives;
    });
  };
}

function withDeadline<T>(answer: Promise<T>, clock: Clock, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => reject(new DirectorySilent()));
    answer.then(resolve, reject).finally(cancel);
  });
}

class DirectorySilent extends Trouble {
  constructor() {
    const peer = 'unable to look up the mailbox now (#4.3.0)';
    super('busy', { tryAgain: true, peer, detail: 'the directory did not answer in time' });
  }
}
