/** A log from which old events of some streams may be gone at any time, as after a scavenge; `inner` has them all. */
import { filter, type Observable } from 'rxjs';
import type { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type {
  Appended,
  Damage,
  LogSignal,
  NewEvent,
  Position,
  ReadAll,
  ReadStream,
  RecordedEvent,
  Revision,
  SharedLog,
  StreamName,
  Write,
} from '../../src/log/ports.ts';
import type { StagedBody } from '../../src/spool/ports.ts';

export class ScavengedLog implements SharedLog {
  readonly inner: MemoryLog;
  /** Streams keep no more than that, whatever they ask for: so that it matters in a short life. */
  readonly #most: number;
  readonly #bounds = new Map<StreamName, number>();
  readonly #gone = new Set<Position>();

  constructor(inner: MemoryLog, most = Infinity) {
    this.inner = inner;
    this.#most = most;
  }

  append(
    stream: StreamName,
    expected: Revision,
    events: readonly NewEvent[],
    body?: StagedBody,
  ): Promise<Appended> {
    return this.inner.append(stream, expected, events, body);
  }

  appendTogether(
    writes: readonly Write[],
    unless?: StreamName,
    body?: StagedBody,
  ): Promise<Appended> {
    return this.inner.appendTogether(writes, unless, body);
  }

  canAppendTogether(): Promise<boolean> {
    return this.inner.canAppendTogether();
  }

  keepYoungest(stream: StreamName, events: number): Promise<void> {
    const most = Math.min(events, this.#most);
    this.#bounds.set(stream, most);
    return this.inner.keepYoungest(stream, most);
  }

  /** File by file: of what is hidden some goes, anywhere in a stream. */
  async scavenge(isTaken: () => boolean): Promise<void> {
    for (const [stream, most] of this.#bounds) {
      const [last] = await this.inner.readStream(stream, { direction: 'backwards', limit: 1 });
      const end = (last?.revision ?? -1) - most;
      for (const event of await this.inner.readAll({ limit: 1_000_000 })) {
        if (event.stream !== stream || event.revision > end || !isTaken()) continue;
        this.#gone.add(event.position);
      }
    }
  }

  readStream(stream: StreamName, options?: ReadStream): Promise<readonly RecordedEvent[]> {
    return this.inner.readStream(stream, options);
  }

  async readAll({ after, direction, limit }: ReadAll): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for (let cursor = after; ;) {
      const page = await this.inner.readAll({
        ...{ limit },
        ...(cursor === undefined ? {} : { after: cursor }),
        ...(direction === undefined ? {} : { direction }),
      });
      events.push(...page.filter(({ position }) => !this.#gone.has(position)));
      if (page.length < limit || events.length >= limit) return events.slice(0, limit);
      cursor = page.at(-1)!.position;
    }
  }

  head(): Promise<Position> {
    return this.inner.head();
  }

  subscribe(from: Position): Observable<LogSignal> {
    const isThere = (signal: LogSignal) =>
      signal.kind !== 'event' || !this.#gone.has(signal.event.position);
    return this.inner.subscribe(from).pipe(filter(isThere));
  }

  damages(): readonly Damage[] {
    return [];
  }

  async close(): Promise<void> {
    await this.inner.close();
  }
}
