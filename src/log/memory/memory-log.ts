/** The log in arrays, for unit tests: same contract, no disk. Bodies staged with an append are kept too. */
import type { Observable } from 'rxjs';
import { RevisionConflict, Trouble } from '../../mail/trouble.ts';
import { fenced } from '../fenced.ts';
import type { StagedBody } from '../../spool/ports.ts';
import { encode, refuseStrayBody } from '../encode.ts';
import { isRepetition } from '../idempotence.ts';
import {
  logStart,
  type Appended,
  type Damage,
  type LogSignal,
  type NewEvent,
  type Position,
  type ReadAll,
  type ReadStream,
  type RecordedEvent,
  type Revision,
  type SharedLog,
  type StreamName,
  type Write,
} from '../ports.ts';
import { subscribeTo } from '../subscription.ts';
import { Tail } from '../tail.ts';

export class MemoryLog implements SharedLog {
  readonly #all: RecordedEvent[] = [];
  readonly #streams = new Map<StreamName, RecordedEvent[]>();
  readonly #tail = new Tail(logStart);
  /** How many of its events a stream shows, where that was said. */
  readonly #most = new Map<StreamName, number>();
  /** Bodies that came with an append, by id; a memory spool reads them here. */
  readonly bodies: Map<string, Uint8Array>;
  #closed = false;

  constructor(bodies = new Map<string, Uint8Array>()) {
    this.bodies = bodies;
  }

  async append(
    stream: StreamName,
    expected: Revision,
    events: readonly NewEvent[],
    body?: StagedBody,
  ): Promise<Appended> {
    return this.appendTogether([{ stream, expected, events }], undefined, body);
  }

  async appendTogether(
    writes: readonly Write[],
    unless?: StreamName,
    body?: StagedBody,
  ): Promise<Appended> {
    this.#refuseIfClosed();
    const texts = writes.map(({ stream, expected, events }, index) => {
      refuseStrayBody(stream, expected, events, index === 0 ? body : undefined);
      return encode(events);
    });
    // As with the real ones, nothing is durable within the caller's own turn.
    await Promise.resolve();
    const repeated = writes.map((write) => this.#repeated(write));
    const last = repeated.at(-1);
    if (last !== undefined && repeated.every((event) => event !== undefined)) {
      return { revision: last.revision, position: last.position };
    }
    if (unless !== undefined && this.#streams.has(unless)) throw fenced(unless);
    for (const { stream, expected } of writes) {
      const actual = (this.#streams.get(stream)?.length ?? 0) - 1;
      if (actual !== expected) throw new RevisionConflict(stream, expected, actual);
    }
    if (body?.inline !== undefined) this.bodies.set(body.ref.id, body.inline);
    const recorded = writes.flatMap((write, index) => this.#write(write, texts[index]!));
    this.#tail.publish(recorded);
    const { revision, position } = recorded.at(-1)!;
    return { revision, position };
  }

  async canAppendTogether(): Promise<boolean> {
    return true;
  }

  async keepYoungest(stream: StreamName, events: number): Promise<void> {
    this.#most.set(stream, events);
  }

  /** The last of these events, where exactly they stand there already. */
  #repeated({ stream, expected, events }: Write): RecordedEvent | undefined {
    const there = this.#streams.get(stream) ?? [];
    if (!isRepetition(events, there.slice(expected + 1))) return undefined;
    return there[expected + events.length];
  }

  #write({ stream, expected, events }: Write, texts: readonly string[]): RecordedEvent[] {
    const there = this.#streams.get(stream) ?? [];
    this.#streams.set(stream, there);
    const recorded = events.map(({ type, v, at }, index) => ({
      type,
      v,
      at,
      data: JSON.parse(texts[index]!) as unknown,
      stream,
      revision: expected + 1 + index,
      position: this.#all.length + 1 + index,
    }));
    this.#all.push(...recorded);
    there.push(...recorded);
    return recorded;
  }

  async readStream(
    stream: StreamName,
    options: ReadStream = {},
  ): Promise<readonly RecordedEvent[]> {
    const { from, direction = 'forwards', limit = Infinity } = options;
    const there = this.#streams.get(stream) ?? [];
    const first = Math.max(0, there.length - (this.#most.get(stream) ?? Infinity));
    const wanted =
      direction === 'forwards'
        ? there.slice(Math.max(first, from ?? 0))
        : there.slice(first, (from ?? there.length - 1) + 1).reverse();
    return wanted.slice(0, limit);
  }

  async readAll({
    after,
    direction = 'forwards',
    limit,
  }: ReadAll): Promise<readonly RecordedEvent[]> {
    if (direction === 'forwards') {
      const start = after ?? logStart;
      return this.#all.slice(start, start + limit);
    }
    const end = after === undefined ? this.#all.length : after - 1;
    return this.#all.slice(Math.max(0, end - limit), Math.max(0, end)).reverse();
  }

  async head(): Promise<Position> {
    return this.#all.length;
  }

  subscribe(from: Position): Observable<LogSignal> {
    return subscribeTo(this, this.#tail.moved$, from);
  }

  damages(): readonly Damage[] {
    return [];
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#tail.close();
  }

  #refuseIfClosed(): void {
    if (!this.#closed) return;
    throw new Trouble('log-unavailable', { tryAgain: true, peer: 'log is closed (#4.3.0)' });
  }
}
