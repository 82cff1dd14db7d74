/**
 * The stand-in's events: what the event store does with them, in memory. Revisions, idempotence, deletion and
 * positions as a real server has them; a log file makes it outlive its process.
 */
import type { WireEvent } from '../../../src/gateway/answers.ts';
import { judgeTogether, type Check, type RecordOf, type Together } from './together.ts';

export type Proposed = Pick<WireEvent, 'id' | 'type' | 'isJson' | 'data' | 'metadata'>;

/** `-1`: no such stream; a number: that revision. */
export type Expected = number | 'any' | 'exists';

export type Outcome =
  | { readonly kind: 'written'; readonly revision: number; readonly position: number }
  | { readonly kind: 'conflict'; readonly current: number }
  | { readonly kind: 'deleted' };

type Kept = {
  readonly events: WireEvent[];
  /** Events before it are hidden: truncated, or softly deleted. */
  first: number;
  /** `$maxCount`: so many of the youngest are shown. */
  most: number;
  isDeleted: boolean;
  isTombstoned: boolean;
};

export type StoreOptions = {
  /** System projections run: every event has links to it in other streams, in the same log. */
  readonly projects?: boolean;
};

/** As the real one: what an append adds to the log besides its bytes. */
const recordBytes = 180;

export class Store {
  readonly #all: WireEvent[] = [];
  readonly #streams = new Map<string, Kept>();
  readonly #listeners = new Set<() => void>();
  /** Ids of young events by stream: what an append at any revision is compared with. */
  readonly #recent = new Map<string, number>();
  /** A real log begins with events of its own. */
  #next = 1_000;
  /** Places of events that a scavenge has removed; one may go on from there. */
  readonly #gone = new Set<number>();
  readonly #forged = new Map<number, WireEvent>();
  readonly #projects: boolean;
  /** Dates the events. */
  clock: () => number = Date.now;
  onWritten: ((events: readonly WireEvent[]) => void) | undefined;

  constructor({ projects = false }: StoreOptions = {}) {
    this.#projects = projects;
  }

  get length(): number {
    return this.#all.length;
  }

  append(stream: string, expected: Expected, proposed: readonly Proposed[]): Outcome {
    const kept = this.#streams.get(stream);
    if (kept?.isTombstoned === true) return { kind: 'deleted' };
    const current = (kept?.events.length ?? 0) - 1;
    const decided = this.#decide(stream, kept, current, expected, proposed);
    if (decided !== undefined) return decided;
    const undeletes = kept?.isDeleted === true;
    const again = undeletes ? this.#write(`$$${stream}`, [hiding(current + 1)]) : [];
    const written = this.#write(stream, proposed);
    const last = written.at(-1);
    this.#publish([...again, ...written, ...this.#project(written)]);
    return {
      kind: 'written',
      revision: last?.revision ?? current,
      position: last?.position ?? this.head(),
    };
  }

  /** All these records in this order, or none. A repetition is one whatever the other checks say. */
  appendTogether(records: readonly RecordOf[], checks: readonly Check[]): Together {
    const judged = judgeTogether(records, checks, {
      state: (stream) => {
        const kept = this.#streams.get(stream);
        return kept?.isDeleted === true ? -5 : (kept?.events.length ?? 0) - 1;
      },
      decide: (stream, expected, events) => {
        const kept = this.#streams.get(stream);
        return this.#decide(stream, kept, (kept?.events.length ?? 0) - 1, expected, events);
      },
    });
    if (judged !== undefined) return judged;
    const events = records.flatMap(({ stream, ...record }) => this.#write(stream, [record]));
    this.#publish([...events, ...this.#project(events)]);
    const revisions = new Map(events.map(({ stream, revision }) => [stream, revision]));
    return { revisions, position: events.at(-1)!.position };
  }

  /** Removes what is hidden, where `isWanted` says so: a real one does it file by file, and may leave some out. */
  scavenge(isWanted: (event: WireEvent) => boolean = () => true): number {
    const before = this.#all.length;
    const left = this.#all.filter((event) => {
      const { first = 0 } = this.#streams.get(event.stream) ?? {};
      if (event.revision >= first || !isWanted(event)) return true;
      this.#gone.add(event.position);
      return false;
    });
    this.#all.splice(0, before, ...left);
    return before - left.length;
  }

  /** Hides a stream's events; its numbers go on when it comes again. */
  delete(stream: string, expected: Expected, isFinal = false): Outcome {
    const kept = this.#streams.get(stream);
    if (kept === undefined) return { kind: 'conflict', current: -1 };
    if (kept.isTombstoned) return { kind: 'deleted' };
    const current = kept.events.length - 1;
    if (typeof expected === 'number' && expected !== current) return { kind: 'conflict', current };
    kept.isTombstoned = isFinal;
    const written = this.#write(`$$${stream}`, [hiding(everything)]);
    this.#publish(written);
    return { kind: 'written', revision: current, position: written[0]!.position };
  }

  names(): Iterable<string> {
    return this.#streams.keys();
  }

  stream(name: string): Kept | undefined {
    return this.#streams.get(name);
  }

  head(): number {
    return this.#all.at(-1)?.position ?? 0;
  }

  isPosition(position: number): boolean {
    const at = this.#indexOf(position);
    const isNear = position === 0 || position >= this.#next || this.#gone.has(position);
    return isNear || this.#all[at]?.position === position || this.#forged.has(position);
  }

  /** Whoever reads from there finds an event that nobody wrote: so may bytes of a letter be taken. */
  forge(position: number, event: WireEvent): void {
    this.#forged.set(position, event);
  }

  page(from: number, backwards: boolean, limit: number): readonly WireEvent[] {
    const at = this.#indexOf(from);
    const forged = this.#forged.get(from);
    const first = forged === undefined ? [] : [forged];
    return backwards
      ? this.#all.slice(Math.max(0, at - limit), at).reverse()
      : [...first, ...this.#all.slice(at, at + limit - first.length)];
  }

  onMoved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes one byte of an event's data, behind everybody's back. */
  damage(stream: string, revision = 0): void {
    const { data } = this.#streams.get(stream)!.events[revision]!;
    data[data.byteLength >> 1]! ^= 1;
  }

  /** Puts an event back that was written before this process. */
  restore(event: WireEvent): void {
    const kept = this.#streams.get(event.stream) ?? this.#newStream(event.stream);
    kept.events.push(event);
    this.#all.push(event);
    this.#next = event.position + recordBytes + event.data.byteLength + event.metadata.byteLength;
    if (kept.isDeleted) {
      kept.isDeleted = false;
      kept.first = event.revision;
    }
    kept.first = Math.max(kept.first, kept.events.length - kept.most);
    this.#obey(event);
  }

  /** What the metadata of a stream says of its events. */
  #obey({ stream, data }: WireEvent): void {
    if (!stream.startsWith('$$')) return;
    const of = this.#streams.get(stream.slice(2)) ?? this.#newStream(stream.slice(2));
    const said = JSON.parse(Buffer.from(data).toString('utf8')) as {
      readonly $tb?: number;
      readonly $maxCount?: number;
    };
    of.most = said.$maxCount ?? Infinity;
    const { $tb = 0 } = said;
    of.isDeleted = $tb > of.events.length;
    of.first = Math.max(Math.min($tb, of.events.length), of.events.length - of.most);
  }

  #project(written: readonly WireEvent[]): readonly WireEvent[] {
    if (!this.#projects) return [];
    return written.flatMap(({ stream, revision, type }) => {
      const link = { type: '$>', isJson: false, metadata: Buffer.alloc(0) };
      const data = Buffer.from(`${revision}@${stream}`);
      return [`$ce-${stream.split('-')[0]}`, `$et-${type}`].flatMap((name) =>
        this.#write(name, [{ ...link, id: crypto.randomUUID(), data }]),
      );
    });
  }

  #decide(
    stream: string,
    kept: Kept | undefined,
    current: number,
    expected: Expected,
    proposed: readonly Proposed[],
  ): Outcome | undefined {
    const exists = kept !== undefined && current >= 0 && !kept.isDeleted;
    if (expected === 'exists' && !exists) return { kind: 'conflict', current };
    if (expected === 'any' || expected === 'exists') return this.#seenLately(stream, proposed);
    if (expected > current) return { kind: 'conflict', current };
    if (expected === current) return undefined;
    // The records are compared that lie there, hidden or not.
    const there = kept!.events.slice(expected + 1, expected + 1 + proposed.length);
    const isSame =
      there.length === proposed.length && proposed.every(({ id }, n) => id === there[n]!.id);
    if (isSame && proposed.length > 0) {
      const { revision, position } = there.at(-1)!;
      return { kind: 'written', revision, position };
    }
    return expected === -1 && kept!.isDeleted ? undefined : { kind: 'conflict', current };
  }

  #seenLately(stream: string, proposed: readonly Proposed[]): Outcome | undefined {
    const seen = proposed.map(({ id }) => this.#recent.get(`${stream} ${id}`));
    if (seen.length === 0 || seen.every((revision) => revision === undefined)) return undefined;
    const { events } = this.#streams.get(stream)!;
    const revision = seen.at(-1);
    if (revision === undefined || seen.includes(undefined)) {
      return { kind: 'conflict', current: events.length - 1 };
    }
    return { kind: 'written', revision, position: events[revision]!.position };
  }

  #newStream(name: string): Kept {
    const kept = { events: [], first: 0, most: Infinity, isDeleted: false, isTombstoned: false };
    this.#streams.set(name, kept);
    return kept;
  }

  #write(stream: string, proposed: readonly Proposed[]): readonly WireEvent[] {
    const kept = this.#streams.get(stream) ?? this.#newStream(stream);
    const created = this.clock();
    return proposed.map((event) => {
      const written = {
        ...event,
        ...{ stream, created, revision: kept.events.length, position: this.#next },
      };
      this.#next += recordBytes + event.data.byteLength + event.metadata.byteLength;
      kept.events.push(written);
      kept.first = Math.max(kept.first, kept.events.length - kept.most);
      this.#all.push(written);
      this.#obey(written);
      this.#recent.set(`${stream} ${event.id}`, written.revision);
      if (this.#recent.size > 100_000) this.#recent.delete(this.#recent.keys().next().value!);
      return written;
    });
  }

  #publish(written: readonly WireEvent[]): void {
    if (written.length === 0) return;
    this.onWritten?.(written);
    for (const listener of this.#listeners) listener();
  }

  /** Of the first event at or after that position. */
  #indexOf(position: number): number {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#all[middle]!.position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** More than any stream has. */
const everything = '9223372036854775807';

/** What hides a stream's events up to a revision, that one not included. */
const hiding = (before: number | string): Proposed => ({
  ...{ id: crypto.randomUUID(), type: '$metadata', isJson: true, metadata: Buffer.alloc(0) },
  data: Buffer.from(`{"$tb":${before}}`),
});
