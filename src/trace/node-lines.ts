/** The nodes that share a log, as lines: each start that still matters, whose letters it has, when it spoke last. */
import { heirOf, type Lease } from '../nodes/leases.ts';
import type { Ledger } from '../nodes/ledger.ts';
import { nobody } from '../nodes/owners.ts';
import type { Instant } from '../platform/clock.ts';
import { count, formatInstant, formatSpan, safe } from './words.ts';

export type NodeRow = {
  readonly lease: Lease;
  /** Letters that are not done and name it as their owner. */
  readonly letters: number;
  /** Whoever answers for those. */
  readonly heir: string;
};

/** Leases that are in use, or have letters left, or are the `ended` youngest of the others; oldest first. */
export function nodeRows({ leases, owners }: Ledger, ended: number): readonly NodeRow[] {
  const all = [...leases.values()].sort((a, b) => (a.incarnation < b.incarnation ? -1 : 1));
  const isOver = ({ incarnation, status }: Lease) =>
    status === 'taken' && owners.count(incarnation) === 0;
  const over = all.filter(isOver);
  const shown = new Set(over.slice(Math.max(0, over.length - ended)));
  return all
    .filter((lease) => !isOver(lease) || shown.has(lease))
    .map((lease) => ({
      lease,
      letters: owners.count(lease.incarnation),
      heir: heirOf(leases, lease.incarnation),
    }));
}

/** Letters that came before there were nodes, and that nobody has adopted yet. */
export const letterOfNobody = ({ owners }: Ledger): number => owners.count(nobody);

/** By the speaker's own clock, which may differ from ours. */
export function nodeText({ lease, letters, heir }: NodeRow, now: Instant): string {
  const { incarnation, node, status, heardAt, openedAt, taken, declared } = lease;
  const since = `since ${formatInstant(openedAt)}`;
  const has = letters === 0 ? 'no letters' : count(letters, 'letter');
  return `${safe(incarnation, 100)}  ${safe(node, 100)}: ${stateOf()}; ${has}${falling()}${gone()}`;

  function stateOf(): string {
    if (status === 'taken')
      return `ended, taken by ${safe(taken!.by, 36)} (${safe(taken!.why, 20)}) ${formatInstant(heardAt)}`;
    if (status === 'closed') return `stopped ${formatInstant(heardAt)}`;
    if (status === 'gone') return `ended ${formatInstant(heardAt)}`;
    const silent = now - heardAt > lease.ttlMs;
    const heard = `heard ${formatSpan(now - heardAt)} ago${silent ? ': silent' : ''}`;
    return `${status === 'draining' ? 'draining' : 'working'} ${since}, ${heard}`;
  }

  function gone(): string {
    if (declared === undefined) return '';
    const why = declared.why === '' ? '' : ` (${safe(declared.why, 200)})`;
    return `; declared gone by ${safe(declared.by, 100)}${why}`;
  }

  function falling(): string {
    return status === 'taken' && letters > 0 ? ` on their way to ${safe(heir, 36)}` : '';
  }
}

export const nodeJson = ({ lease, letters, heir }: NodeRow) => ({
  incarnation: lease.incarnation,
  node: lease.node,
  status: lease.status,
  letters,
  openedAt: formatInstant(lease.openedAt, 'ms'),
  heardAt: formatInstant(lease.heardAt, 'ms'),
  beatMs: lease.beatMs,
  ttlMs: lease.ttlMs,
  ...(lease.taken === undefined ? {} : { taken: lease.taken, heir }),
  ...(lease.declared === undefined ? {} : { declared: lease.declared }),
});
