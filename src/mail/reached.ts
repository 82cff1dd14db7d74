/**
 * How one transaction of a remote attempt came to its far side: what DNS said, which addresses failed. Part of the
 * verdict on the first recipient of the transaction only, and bounded: a domain may list hundreds of hosts.
 */
import type { Instant } from '../platform/clock.ts';

export type DnsAnswered = {
  readonly asked: 'MX' | 'address';
  readonly name: string;
  /** `10 mx.b.test` or `192.0.2.1`, as DNS gave them; empty: there is none. Absent: nobody answered. */
  readonly found?: readonly string[];
  /** How many more there were than are listed. */
  readonly more?: number;
};

export type Reached = {
  /** Over a connection that an earlier letter had opened: nobody was asked or dialled. */
  readonly open?: true;
  readonly dns?: readonly DnsAnswered[];
  /** Addresses that were tried in vain, in turn: `192.0.2.1:25 timed-out`. The one that answered is in the reply. */
  readonly inVain?: readonly string[];
  /** Addresses left alone, since they had not answered lately (tcpto), and until when. */
  readonly passedBy?: readonly { readonly address: string; readonly untilAt: Instant }[];
};

/** Questions, answers to one, addresses: so many of each are kept. */
export const mostReached = { questions: 12, answers: 10, addresses: 10 } as const;
