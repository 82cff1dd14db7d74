/**
 * One node among others: takes the leases of those that fell silent, and adopts what falls to it. Safe
 * however often it runs and whoever else does the same. Nearly everything is done when a beat of our own has
 * come back through the log, so that a log that hangs is not asked for more.
 */
import { concatMap, defer, filter, from, merge, type Observable, tap } from 'rxjs';
import type { EventLog } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import { leaseStream, type Incarnation, type LeaseEvent } from './events.ts';
import type { OwnLease } from './keep-lease.ts';
import type { Heard, Ledger } from './ledger.ts';
import { inherited } from './owners.ts';
import { suspect, Suspicion, type Suspect } from './suspicion.ts';

export type NodeParts = {
  readonly log: Pick<EventLog, 'append'>;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly self: Incarnation;
  /**
   * Our name and home over restarts, when we hold the lock of our data directory: earlier incarnations of both
   * are surely dead, and their leases are taken at once.
   */
  readonly node?: string;
  readonly home?: string | undefined;
  readonly beatMs?: number;
  /** Our own lease. Who is restrained suspects nobody, and who has none takes none: nobody could take it on. */
  readonly lease: Pick<OwnLease, 'standing' | 'standing$'>;
  /** Appends `MessageAdopted` at the letter's exact revision; resolves also when it is somebody else's by now. */
  readonly adopt: (message: MessageId, from: Incarnation) => Promise<unknown>;
  /** Told what could not be done now and is tried again at the next beat. */
  readonly onTrouble: (cause: unknown) => void;
};

export function followNodes(parts: NodeParts): Observable<unknown> {
  const { ledger, clock, self, lease, beatMs = 5_000 } = parts;
  const suspicion = new Suspicion(self, beatMs);
  let caughtUp = false;
  /** A beat of ours, or a take by us: from then on there may be something to do. */
  const isOccasion = (heard: Heard): boolean => {
    if (heard.kind === 'caught-up') return (caughtUp = true);
    if (heard.kind === 'adopted') return false;
    suspicion.heard(heard.incarnation, clock.now());
    const { event, incarnation } = heard;
    const isTake = event.type === 'LeaseTaken' && event.data.by === self;
    return isTake || (incarnation === self && event.type !== 'LeaseTaken');
  };
  const sound$ = lease.standing$.pipe(filter((standing) => standing === 'sound'));
  return merge(ledger.heard$.pipe(filter(isOccasion)), sound$).pipe(
    // concatMap: one after the other. They come a beat apart, and none comes while the log hangs.
    concatMap(() => (caughtUp ? defer(() => from(act(parts, suspicion))) : [])),
    tap({ error: parts.onTrouble }),
  );
}

async function takePredecessors(parts: NodeParts): Promise<void> {
  const { ledger, self, node, home } = parts;
  const dead = [...ledger.leases.values()]
    .filter(
      (lease) =>
        lease.node === node &&
        lease.home === home &&
        lease.incarnation !== self &&
        lease.status !== 'taken',
    )
    .map((lease) => suspect(lease, 'restarted'));
  for (const each of dead) await takeLease(parts, each);
}

/** Nothing here is urgent or final: what fails is tried again at the next beat. */
async function act(parts: NodeParts, suspicion: Suspicion): Promise<void> {
  const { leases, owners } = parts.ledger;
  const mayStart = () => parts.lease.standing === 'sound';
  try {
    if (!mayStart()) return;
    await takePredecessors(parts);
    for (const each of suspicion.suspects(leases)) await takeLease(parts, each);
    const letters = inherited(owners, leases, parts.self, adoptedInTurn);
    for (let at = 0; at < letters.length && mayStart(); at += adoptedAtOnce) {
      // Side by side, so that they share commits.
      const some = letters.slice(at, at + adoptedAtOnce);
      const done = await Promise.allSettled(some.map((each) => parts.adopt(...each)));
      const failed = done.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    }
  } catch (cause) {
    parts.onTrouble(cause);
  }
}

/** So many that a beat is not held up. */
const adoptedAtOnce = 200;

/** The rest follows with the next beat. */
const adoptedInTurn = 100_000;

/** At the last revision that we have seen: a beat that came meanwhile, or another's take, excludes ours. */
export async function takeLease(
  { log, self, clock }: Pick<NodeParts, 'log' | 'self' | 'clock'>,
  { lease, why }: Suspect,
): Promise<void> {
  const event: LeaseEvent = { type: 'LeaseTaken', v: 1, at: clock.now(), data: { by: self, why } };
  try {
    await log.append(leaseStream(lease.incarnation), lease.revision, [event]);
  } catch (cause) {
    if (!isTrouble(cause, 'revision-conflict')) throw cause;
  }
}
