/** All leases there ever were, as far as they still matter, and who answers for whose letters. */
import type { RecordedEvent, Revision } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import {
  incarnationOf,
  type Incarnation,
  type LeaseEvent,
  type LeaseFacts,
  type WhyTaken,
} from './events.ts';
import { isName, soundWord } from './sound-word.ts';

export type Lease = Partial<Pick<LeaseFacts, 'home' | 'boot' | 'fenced'>> & {
  readonly incarnation: Incarnation;
  /** `''`: none of the events that said so is left. */
  node: string;
  beatMs: number;
  ttlMs: number;
  openedAt: Instant;
  /** `gone`: an operator says so, and nobody has taken it yet. */
  status: 'open' | 'draining' | 'closed' | 'gone' | 'taken';
  /** Of its last event. */
  revision: Revision;
  /** When its last event was decided, by its own clock: for people, never for deciding. */
  heardAt: Instant;
  /** Letters that are not done, as it said last. */
  letters: number;
  taken: { readonly by: Incarnation; readonly why: WhyTaken } | undefined;
  declared: { readonly by: string; readonly why: string } | undefined;
};

export type Leases = Map<Incarnation, Lease>;

export const empty = (): Leases => new Map();

/**
 * Older events of a lease may be missing, in any places but the end; then the younger ones say the same. What an
 * event says that none of ours would say is not believed; that it stands there is.
 */
export function fold(
  leases: Leases,
  event: Pick<RecordedEvent, 'stream' | 'revision'> & LeaseEvent,
): Leases {
  const incarnation = incarnationOf(event.stream);
  if (incarnation === undefined || !isName(incarnation)) return leases;
  let lease = leases.get(incarnation);
  if (lease === undefined) {
    lease = unheardOf(incarnation, event);
    leases.set(incarnation, lease);
  }
  lease.revision = event.revision;
  lease.heardAt = event.at;
  const said = soundWord(event);
  switch (said?.type) {
    case undefined:
      break;
    case 'LeaseOpened':
      Object.assign(lease, said.data);
      break;
    case 'LeaseBeat':
      Object.assign(lease, said.data.lease);
      lease.letters = said.data.open;
      if (said.data.draining === true) lease.status = 'draining';
      break;
    case 'LeaseDraining':
      lease.status = 'draining';
      lease.letters = said.data.open;
      break;
    case 'LeaseClosed':
      lease.status = 'closed';
      lease.letters = said.data.open;
      break;
    case 'LeaseTaken':
      lease.status = 'taken';
      lease.taken = said.data;
      break;
    case 'LeaseDeclaredGone':
      lease.declared = said.data;
      if (lease.taken === undefined) lease.status = 'gone';
      break;
  }
  return leases;
}

const unheardOf = (incarnation: Incarnation, { at }: LeaseEvent): Lease => ({
  ...{ incarnation, node: '', beatMs: 5_000, ttlMs: 30_000, openedAt: at, status: 'open' },
  ...{ revision: -1, heardAt: at, letters: 0, taken: undefined, declared: undefined },
});

/**
 * Who answers for the letters of an incarnation: itself, or through however many takes. So even a letter
 * that a cut-off node accepted after its lease was taken has an owner at once.
 */
export function heirOf(leases: Leases, incarnation: Incarnation): Incarnation {
  let heir = incarnation;
  // A take is appended by somebody alive, so there are no circles; a forged one must not hang us.
  for (let links = 0; links <= leases.size; links += 1) {
    const next = leases.get(heir)?.taken?.by;
    if (next === undefined) return heir;
    heir = next;
  }
  return heir;
}

/** Those that may still say something. */
export const living = (leases: Leases): readonly Lease[] =>
  [...leases.values()].filter(({ status }) => status === 'open' || status === 'draining');

const open = (leases: Leases): readonly Incarnation[] =>
  [...leases.values()]
    .filter(({ status }) => status === 'open')
    .map(({ incarnation }) => incarnation)
    .sort();

/** The one that began first, of those that work. */
export const eldest = (leases: Leases): Incarnation | undefined => open(leases)[0];

/**
 * Whether no attempt of that incarnation can be under way any more, as far as the log knows: it has said so, an
 * operator has, or another process holds the lock of its data directory.
 */
export function isSurelyOver(leases: Leases, incarnation: Incarnation): boolean {
  const lease = leases.get(incarnation);
  if (lease === undefined) return false;
  const { status, taken, declared } = lease;
  if (declared !== undefined || status === 'closed') return true;
  if (taken !== undefined && taken.why !== 'silent') return true;
  // In the order of the log: names sort by a clock, which may have been set back in between.
  const all = [...leases.values()];
  const later = all.slice(all.indexOf(lease) + 1);
  return later.some((each) => isSameHome(each, lease) && each.boot === lease.boot);
}

type Home = { readonly node: string; readonly home?: string | undefined };

/** Two lives of one data directory, or of copies of one. */
export const isSameHome = (one: Home, other: Home): boolean =>
  one.node !== '' && one.node === other.node && one.home === other.home;

/**
 * This node's part of a limit that holds for all together: at least one. What does not divide goes to those
 * that began first.
 */
export function partOf(limit: number, leases: Leases, self: Incarnation): number {
  const sharing = open(leases);
  const rank = sharing.indexOf(self);
  if (rank < 0) return Math.min(1, limit);
  const part = Math.floor(limit / sharing.length) + (rank < limit % sharing.length ? 1 : 0);
  return limit <= 0 ? 0 : Math.max(1, part);
}
