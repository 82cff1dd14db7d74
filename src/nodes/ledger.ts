/**
 * Leases and owners, folded from the log, with a checkpoint of their own: a header line, then the letters
 * of each owner, an id a line, and at the end the SHA-256 of all that.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Subject, type Observable } from 'rxjs';
import { stillThere, type KnownEvent } from '../log/known-event.ts';
import {
  logStart,
  type LogReader,
  type LogSignal,
  type Position,
  type RecordedEvent,
  type Revision,
} from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { messageOf, type QueueEvent } from '../queue/events.ts';
import { incarnationOf, type Incarnation, type LeaseEvent } from './events.ts';
import { empty, fold, type Lease } from './leases.ts';
import { nobody, Owners } from './owners.ts';
import { isName } from './sound-word.ts';

/** What the ledger has folded in and others may want to act on. */
export type Heard =
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'lease'; readonly incarnation: Incarnation; readonly event: LeaseEvent }
  | { readonly kind: 'adopted'; readonly message: MessageId; readonly by: Incarnation };

type Head = KnownEvent & {
  readonly format: typeof format;
  readonly leases: readonly Lease[];
  readonly owners: readonly (readonly [Incarnation, number])[];
};

const format = 'waybill nodes 2';

export type LedgerParts = {
  readonly log: Pick<LogReader, 'readAll' | 'readStream'>;
  /** Absent: no checkpoints, every start folds from the first event. */
  readonly file?: string | undefined;
  readonly onThrownAway?: (why: string) => void;
  /** A letter's stream has come so far, whoever wrote. */
  readonly onLetter?: (message: MessageId, revision: Revision) => void;
};

export class Ledger {
  readonly leases = empty();
  readonly owners = new Owners();
  readonly file: string | undefined;
  readonly #parts: LedgerParts;
  readonly #heard$ = new Subject<Heard>();
  #position: Position = logStart;
  #caughtUp = false;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.file = parts.file;
  }

  get heard$(): Observable<Heard> {
    return this.#heard$;
  }

  get position(): Position {
    return this.#position;
  }

  hear(signal: LogSignal): void {
    if (signal.kind === 'event') this.#take(signal.event);
    else if (!this.#caughtUp) {
      this.#caughtUp = true;
      this.#heard$.next({ kind: 'caught-up' });
    }
  }

  #take(event: RecordedEvent): void {
    if (event.position <= this.#position) return;
    this.#position = event.position;
    const incarnation = incarnationOf(event.stream);
    if (incarnation !== undefined) {
      if (!isName(incarnation)) return;
      const known = event as RecordedEvent & LeaseEvent;
      fold(this.leases, known);
      this.#heard$.next({ kind: 'lease', incarnation, event: known });
      return;
    }
    const message = messageOf(event.stream);
    // A name with a line's end in it would spoil the checkpoint.
    if (!isName(message)) return;
    this.#parts.onLetter?.(message, event.revision);
    this.#takeLetter(message, event as RecordedEvent & QueueEvent);
  }

  #takeLetter(message: MessageId, event: QueueEvent): void {
    // An event store may hold events that none of ours wrote: those tell of no owner.
    const said = (event.data ?? {}) as { readonly owner?: unknown; readonly by?: unknown };
    if (event.type === 'MessageAccepted') {
      this.owners.set(message, isName(said.owner) ? said.owner : nobody);
    } else if (event.type === 'MessageCleanedUp') {
      this.owners.delete(message);
    } else if (event.type === 'MessageAdopted') {
      const { by } = said;
      if (!isName(by)) return;
      this.owners.set(message, by);
      this.#heard$.next({ kind: 'adopted', message, by });
    }
  }

  /** Resolves with how far the checkpoint goes; one that is damaged, or of another log, is none. */
  async restore(): Promise<Position> {
    const { log, file, onThrownAway } = this.#parts;
    const text = file === undefined ? undefined : await readFile(file, 'utf8').catch(() => '');
    if (text === undefined || text === '') return logStart;
    const read = parse(text);
    if (read === undefined || !(await stillThere(log, read.head))) {
      onThrownAway?.('the checkpoint of the nodes is damaged, or of another release or log');
      return logStart;
    }
    const { head, ids } = read;
    for (const lease of head.leases) this.leases.set(lease.incarnation, lease);
    let at = 0;
    for (const [owner, count] of head.owners) {
      for (const end = at + count; at < end; at += 1) this.owners.set(ids[at]!, owner);
    }
    this.#position = head.position;
    return head.position;
  }

  checkpoint(last: KnownEvent): readonly Uint8Array[] {
    const owners = this.owners.owners();
    const lines = owners.map((owner) => Buffer.from(`${[...this.owners.of(owner)].join('\n')}\n`));
    const head: Head = {
      ...{ format, ...last, leases: [...this.leases.values()] },
      owners: owners.map((owner) => [owner, this.owners.count(owner)]),
    };
    const pieces = [Buffer.from(`${JSON.stringify(head)}\n`), ...lines];
    const sum = createHash('sha256');
    for (const piece of pieces) sum.update(piece);
    return [...pieces, Buffer.from(sum.digest('hex'))];
  }
}

function parse(text: string): { readonly head: Head; readonly ids: readonly string[] } | undefined {
  const end = text.lastIndexOf('\n') + 1;
  const whole = text.slice(0, end);
  const sum = createHash('sha256').update(whole).digest('hex');
  if (whole === '' || text.slice(end) !== sum) return undefined;
  const [first, ...ids] = whole.split('\n');
  const head = JSON.parse(first!) as Head;
  return head.format === format ? { head, ids } : undefined;
}
