/** One letter on its way to one local recipient, and what it takes to deliver it. */
import type { Owner } from '../../aliases/owner.ts';
import type { Address, MessageId, RecipientNo } from '../../mail/envelope.ts';
import type { LineRecord } from '../../mail/lines-done.ts';
import type { Quota } from '../../mail/quota.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Processes } from '../../platform/processes.ts';
import type { SyncDirectory } from './directory-sync.ts';
import type { Facts } from './env.ts';
import type { FileCalls } from './file-calls.ts';
import type { Identity, Who } from './identity.ts';
import type { InTurn } from './in-turn.ts';
import type { KernelLock } from './kernel-lock.ts';
import type { Letter } from './letter.ts';
import type { DeliveryReport } from './report.ts';

export type DeliverParts = {
  readonly files: FileCalls;
  readonly syncDirectory: SyncDirectory;
  readonly inTurn: InTurn;
  /** Against programs that lock an mbox in another way than by a file beside it. */
  readonly kernelLock?: KernelLock;
  readonly identity: Identity;
  readonly processes: Processes;
  /** Programs say what they say on our own stderr; else it is part of the report. */
  readonly stderrIsOurs?: true;
  readonly clock: Clock;
  readonly scratchDirectory: string;
  /** What programs get from our own environment. */
  readonly inherited: Readonly<Record<string, string>>;
};

export type LocalSettings = {
  /** Instructions for whoever has none: lines as in a dot-qmail file. */
  readonly defaultDelivery: string;
  /** The name of this machine in Maildir file names. */
  readonly hostName: string;
  readonly programTimeoutMs: number;
  /** Processes of one user, all told, that stop another; 0: the system's own limit. */
  readonly programProcesses: number;
  /** Of Maildirs that have none of their own. */
  readonly maildirQuota: Quota;
  readonly overQuota: 'fail' | 'defer';
};

export type Delivery = {
  readonly message: MessageId;
  readonly rcpt: RecipientNo;
  readonly attempt: number;
  readonly local: string;
  readonly domain: string;
  readonly owner: Owner;
  /** As it stands in the envelope; one for this recipient alone where each has its own (VERP). */
  readonly returnPath: Address;
  readonly letter: Letter;
  readonly settings: LocalSettings;
  readonly callOff: AbortSignal;
};

/** One delivery with all that its lines may need. */
export type Errand = Delivery & {
  readonly facts: Facts;
  readonly who: Who;
  readonly env: () => Readonly<Record<string, string>>;
  readonly report: DeliveryReport;
  readonly lines: LineRecord;
};
