/** The log in arrays, for unit tests: same contract, no disk. Bodies staged with an append are kept too. */
import type { Observable } from 'rxjs';
import { RevisionConflict, Trouble } from '../../mail/trouble.ts';
import type { StagedBody } from '../../spool/ports.ts';
import { encode, refuseStrayBody } from '../encode.ts';
import { isRepetition } from '../idempotence.ts';
import {
  logStart,
  type Appended,
  type Damage,
  type EventLog,
  type LogSignal,
  type NewEvent,
  type Position,
  type ReadAll,
  type ReadStream,
  type RecordedEvent,
  type Revision,
  type StreamName,
} from '../ports.ts';
import { subscribeTo } from '../subscription.ts';
import { Tail } from '../tail.ts';

export class MemoryLog implements EventLog {
  readonly #all: RecordedEvent[] = [];
  readonly #streams = new Map<StreamName, RecordedEvent[]>();
  readonly #tail = new Tail(logStart);
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
    this.#refuseIfClosed();
    refuseStrayBody(stream, expected, events, body);
    const texts = encode(events);
    // As with the real ones, nothing is durable within the caller's own turn.
    await Promise.resolve();
    const there = this.#streams.get(stream) ?? [];
    const actual = there.length - 1;
    if (actual !== expected) {
      if (!isRepetition(events, there.slice(expected + 1))) {
        throw new RevisionConflict(stream, expected, actual);
      }
      const last = there[expected + events.length]!;
      return { revision: last.revision, position: last.position };
    }
    if (body?.inline !== undefined) this.bodies.set(body.ref.id, body.inline);
    const recorded = events.map(({ type, v, at }, index) => ({
      type,
      v,
      at,
      data: JSON.parse(texts[index]!) as unknown,
      stream,
      revision: expected + 1 + index,
      position: this.#all.length + 1 + index,
    }));
    for (const event of recorded) {
      this.#all.push(event);
      there.push(event);
    }
    this.#streams.set(stream, there);
    this.#tail.publish(recorded);
    return { revision: there.length - 1, position: this.#all.length };
  }

  async readStream(
    stream: StreamName,
    options: ReadStream = {},
  ): Promise<readonly RecordedEvent[]> {
    const { from, direction = 'forwards', limit = Infinity } = options;
    const there = this.#streams.get(stream) ?? [];
    const wanted =
      direction === 'forwards'
        ? there.slice(from ?? 0)
        : there.slice(0, (from ?? there.length - 1) + 1).reverse();
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
