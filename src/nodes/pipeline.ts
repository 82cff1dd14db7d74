/**
 * One node among others: takes the leases of those that fell silent, and adopts what falls to it. Safe
 * however often it runs and whoever else does the same. Nearly everything is done when a beat of our own has
 * come back through the log, so that a log that hangs is not asked for more.
 */
import { concatMap, defer, filter, from, merge, type Observable, tap } from 'rxjs';
import { noStream, type SharedLog } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import {
  fenceStream,
  leaseStream,
  type FenceEvent,
  type Incarnation,
  type LeaseEvent,
} from './events.ts';
import type { OwnLease } from './keep-lease.ts';
import type { Heard, Ledger } from './ledger.ts';
import { isSameHome } from './leases.ts';
import { inherited } from './owners.ts';
import { takerIn } from './sound-word.ts';
import { suspect, Suspicion, type Suspect } from './suspicion.ts';

export type NodeParts = {
  readonly log: Pick<SharedLog, 'append' | 'appendTogether' | 'canAppendTogether'>;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly self: Incarnation;
  /**
   * Our name and home over restarts, when we hold the lock of our data directory: earlier incarnations of both
   * are surely dead if they lived under the same kernel and mount, and their leases are taken at once. Elsewhere
   * a copy of the directory may be in use: those must be silent for a while.
   */
  readonly node: string;
  readonly home?: string | undefined;
  readonly boot?: string | undefined;
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
    const { event, incarnation } = heard;
    suspicion.heard(incarnation, clock.steady());
    const isBeat = caughtUp && event.type === 'LeaseBeat';
    if (isBeat && isTwin(parts, incarnation)) parts.onTrouble(twin(incarnation));
    // Others may write such events, too: what they say is not taken for granted.
    const isTake = event.type === 'LeaseTaken' && takerIn(event) === self;
    return isTake || (incarnation === self && event.type !== 'LeaseTaken');
  };
  const sound$ = lease.standing$.pipe(filter((standing) => standing === 'sound'));
  return merge(ledger.heard$.pipe(filter(isOccasion)), sound$).pipe(
    // concatMap: one after the other. They come a beat apart, and none comes while the log hangs.
    concatMap(() => (caughtUp ? defer(() => from(act(parts, suspicion))) : [])),
    tap({ error: parts.onTrouble }),
  );
}

/** It beats while we hold the lock of its directory. */
function isTwin(parts: NodeParts, incarnation: Incarnation): boolean {
  const lease = parts.ledger.leases.get(incarnation);
  return incarnation !== parts.self && lease !== undefined && isSameHome(lease, parts);
}

const twin = (incarnation: Incarnation): Trouble =>
  new Trouble('refused', {
    tryAgain: true,
    peer: 'two nodes of one name',
    detail: `${incarnation} has our name and a copy of our data directory, and is alive: give one of us another name`,
  });

/** So many beats that were not heard tell a predecessor whose machine went down from a copy that is alive. */
const beatsOfACopy = 3;

async function takePredecessors(parts: NodeParts, suspicion: Suspicion): Promise<void> {
  const { ledger, self, boot, beatMs = 5_000 } = parts;
  for (const lease of [...ledger.leases.values()]) {
    const { incarnation, status } = lease;
    if (incarnation === self || status === 'taken' || !isSameHome(lease, parts)) continue;
    const silence = suspicion.silenceOf(incarnation);
    const isDead = lease.boot === boot || silence >= beatsOfACopy * Math.max(beatMs, lease.beatMs);
    if (isDead) await takeLease(parts, suspect(lease, 'restarted'));
  }
}

/** Nothing here is urgent or final: what fails is tried again at the next beat. */
async function act(parts: NodeParts, suspicion: Suspicion): Promise<void> {
  const { leases, owners } = parts.ledger;
  const mayStart = () => parts.lease.standing === 'sound';
  try {
    if (!mayStart()) return;
    await takePredecessors(parts, suspicion);
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
  const { incarnation, revision: expected, fenced = false } = lease;
  const at = clock.now();
  const taken: LeaseEvent = { type: 'LeaseTaken', v: 1, at, data: { by: self, why } };
  const fence: FenceEvent = { type: 'FenceRaised', v: 1, at, data: { by: self } };
  const stream = leaseStream(incarnation);
  try {
    // Without a fence a take is as safe, only later: the letters' own revisions decide.
    if (!fenced || !(await log.canAppendTogether())) await log.append(stream, expected, [taken]);
    else {
      await log.appendTogether([
        { stream, expected, events: [taken] },
        { stream: fenceStream(incarnation), expected: noStream, events: [fence] },
      ]);
    }
  } catch (cause) {
    if (!isTrouble(cause, 'revision-conflict')) throw cause;
  }
}
