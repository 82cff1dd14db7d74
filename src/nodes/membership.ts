/** This node among the others that share the log: its lease, and the ledger of everybody's. */
import { filter, map, merge } from 'rxjs';
import type { Revision, SharedLog } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import type { Incarnation } from './events.ts';
import { keepLease, type OwnLease } from './keep-lease.ts';
import { Ledger } from './ledger.ts';
import { isSurelyOver, partOf } from './leases.ts';
import { followNodes } from './pipeline.ts';
import type { Nodes } from './ports.ts';

export type MembershipParts = {
  readonly log: SharedLog;
  readonly clock: Clock;
  readonly self: Incarnation;
  /** Stays the same over restarts, and is no other's. */
  readonly node: string;
  /** As in `LeaseOpened`. */
  readonly home?: string | undefined;
  readonly boot?: string | undefined;
  /** Whether letters go through `behindFence`. */
  readonly fenced?: boolean;
  /** Default 5,000 and 30,000. */
  readonly beatMs?: number;
  readonly ttlMs?: number;
  /** Of the ledger's checkpoint; absent: none. */
  readonly file?: string | undefined;
  readonly adopt: (message: MessageId, from: Incarnation) => Promise<unknown>;
  readonly onThrownAway?: (why: string) => void;
  readonly onLetter?: (message: MessageId, revision: Revision) => void;
  /** Told what was tried in vain and is tried again. */
  readonly onTrouble: (cause: unknown) => void;
};

const noFences = new Trouble('refused', {
  tryAgain: false,
  peer: 'no fences',
  detail: 'the event store knows no fences, which need server 26.1: see [nodes] fences',
});

export type Membership = Nodes & {
  readonly self: Incarnation;
  readonly isMine: (message: MessageId) => boolean;
  readonly lease: OwnLease;
  readonly ledger: Ledger;
};

export function joinNodes(parts: MembershipParts): Membership {
  const { log, clock, self, node, home, boot, fenced, adopt, onTrouble } = parts;
  const { beatMs = 5_000, ttlMs = 30_000 } = parts;
  const ledger = new Ledger(parts);
  const { leases, owners, heard$ } = ledger;
  const state = () => ({ open: owners.count(self), position: ledger.position });
  const lease = keepLease({
    ...{ log, clock, incarnation: self, node, home, boot, fenced, state, beatMs, ttlMs, onTrouble },
  });
  const moved$ = heard$.pipe(filter((heard) => heard.kind === 'adopted'));
  const ended$ = heard$.pipe(
    filter((heard) => heard.kind === 'lease' && heard.event.type !== 'LeaseBeat'),
  );
  const idOf = ({ message }: { readonly message: MessageId }) => message;
  return {
    ...{ self, lease, ledger },
    isMine: (message) => owners.get(message) === self,
    mayStart: () => lease.standing === 'sound',
    part: (limit) => partOf(limit, leases, self),
    isOver: (incarnation) => isSurelyOver(leases, incarnation),
    moved$: moved$.pipe(map(idOf)),
    adopted$: moved$.pipe(
      filter(({ by }) => by === self),
      map(idOf),
    ),
    changed$: merge(ended$, lease.standing$),
    lost$: lease.standing$.pipe(filter((standing) => standing === 'lost')),
    follow$: followNodes({
      ...{ log, ledger, clock, self, node, home, boot, beatMs, lease, adopt, onTrouble },
    }),
    async open() {
      if (fenced === true && !(await log.canAppendTogether())) throw noFences;
      await lease.open();
    },
    drain: () => lease.drain(),
    close: async (idle) => (idle ? lease.close() : lease.abandon()),
  };
}
