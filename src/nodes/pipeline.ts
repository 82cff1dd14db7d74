/**
 * One node among others: follows leases and letters in the order of the log, takes the leases of those that
 * fell silent, and adopts what falls to it. Safe however often it runs and whoever else does the same.
 */
import { concatMap, defer, from, type Observable, tap } from 'rxjs';
import type { EventLog, LogSignal, RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import { incarnationOf, leaseStream, type Incarnation, type LeaseEvent } from './events.ts';
import { fold, type Leases } from './leases.ts';
import { inherited, type Owners } from './owners.ts';
import { Suspicion, type Suspect } from './suspicion.ts';

export type NodeParts = {
  readonly log: Pick<EventLog, 'append'>;
  /** Everything that is folded into `owners` comes through here first, in the order of the log. */
  readonly signals$: Observable<LogSignal>;
  readonly leases: Leases;
  readonly owners: Owners;
  readonly clock: Clock;
  readonly self: Incarnation;
  /**
   * Our name over restarts, when we hold the lock of our data directory: earlier incarnations of that name are
   * surely dead, and their leases are taken at once.
   */
  readonly node?: string;
  readonly beatMs?: number;
  /** Whether we may start something now: who is restrained suspects nobody. */
  readonly mayStart: () => boolean;
  /** Appends `MessageAdopted` at the letter's exact revision; resolves also when it is somebody else's by now. */
  readonly adopt: (message: MessageId, from: Incarnation) => Promise<void>;
  /** Told what could not be done now and is tried again at the next beat. */
  readonly onTrouble: (cause: unknown) => void;
};

export function followNodes(parts: NodeParts): Observable<unknown> {
  const { leases, clock, self, beatMs = 5_000 } = parts;
  const suspicion = new Suspicion(self, beatMs);
  let caughtUp = false;
  const hear = (event: RecordedEvent): boolean => {
    const incarnation = incarnationOf(event.stream);
    if (incarnation === undefined) return false;
    fold(leases, event as RecordedEvent & LeaseEvent);
    suspicion.heard(incarnation, clock.now());
    return incarnation === self && caughtUp;
  };
  return parts.signals$.pipe(
    // concatMap: a take and what follows from it are done before the next event is looked at.
    concatMap((signal) => {
      const isFirst = signal.kind === 'caught-up' && !caughtUp;
      caughtUp ||= isFirst;
      if (isFirst) return defer(() => from(takePredecessors(parts)));
      const isOwnBeat = signal.kind === 'event' && hear(signal.event);
      return isOwnBeat && parts.mayStart() ? defer(() => from(act(parts, suspicion))) : [];
    }),
    tap({ error: parts.onTrouble }),
  );
}

async function takePredecessors(parts: NodeParts): Promise<void> {
  const { leases, self, node, onTrouble } = parts;
  const dead = [...leases.values()].filter(
    (lease) => lease.node === node && lease.incarnation !== self && lease.status !== 'taken',
  );
  for (const lease of dead) await takeLease(parts, { lease, why: 'restarted' }).catch(onTrouble);
}

/** Nothing here is urgent or final: what fails is tried again at the next beat. */
async function act(parts: NodeParts, suspicion: Suspicion): Promise<void> {
  try {
    for (const suspect of suspicion.suspects(parts.leases)) await takeLease(parts, suspect);
    const { owners, leases, self } = parts;
    // Side by side, so that they share commits.
    const letters = inherited(owners, leases, self).slice(0, adoptedAtOnce);
    await Promise.all(letters.map(([message, from]) => parts.adopt(message, from)));
  } catch (cause) {
    parts.onTrouble(cause);
  }
}

/** So many that a beat is not held up: the rest follows with the next one. */
const adoptedAtOnce = 1_000;

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
