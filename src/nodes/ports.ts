/** What the engine asks about the nodes that share its log; `alone.ts` and `membership.ts` answer. */
import type { Observable } from 'rxjs';
import type { MessageId } from '../mail/envelope.ts';
import type { Incarnation } from './events.ts';
import type { Ledger } from './ledger.ts';

export interface Nodes {
  /** Absent: nobody else is there, and letters have no owner. */
  readonly self: Incarnation | undefined;
  /** Absent: every letter is ours. */
  readonly isMine: ((message: MessageId) => boolean) | undefined;
  /** Hears every event just after the agenda has it. */
  readonly ledger: Ledger | undefined;
  /** Whether attempts may start and letters come in. */
  mayStart(): boolean;
  /** Our part of a limit that is for all nodes together. */
  part(limit: number): number;
  /** Whether no attempt of that node can be under way any more. */
  isOver(incarnation: Incarnation): boolean;
  /** Letters whose owner has changed; of those, letters that are ours now. */
  readonly moved$: Observable<MessageId>;
  readonly adopted$: Observable<MessageId>;
  /** What `mayStart` and `part` say may have changed. */
  readonly changed$: Observable<unknown>;
  /** Emits when another has our lease: nothing may be started any more, by this process. */
  readonly lost$: Observable<unknown>;
  /** Takes and adopts while subscribed. */
  readonly follow$: Observable<unknown>;
  /** Before the first letter: rejects as the log does. */
  open(): Promise<void>;
  drain(): Promise<void>;
  /** The end. `idle`: no attempt runs, so that others need not wait. */
  close(idle: boolean): Promise<void>;
}
