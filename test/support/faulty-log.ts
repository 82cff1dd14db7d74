/** A log with bad days: answers that come late or never, conflicts, a full disk; by plan or by chance. */
import type { Observable } from 'rxjs';
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
import { RevisionConflict, Trouble } from '../../src/mail/trouble.ts';
import type { StagedBody } from '../../src/spool/ports.ts';

/**
 * `refused`: not written, and nobody can say so. `lost`: written, and nobody can say so.
 * `conflict`: somebody else seems to have been there. `full`: not written, and said so.
 */
export type Fault = 'none' | 'late' | 'refused' | 'lost' | 'conflict' | 'full';

export const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class FaultyLog implements SharedLog {
  readonly inner: SharedLog;
  /** Asked at each append. */
  fault: (stream: StreamName, events: readonly NewEvent[]) => Fault;
  readonly asked: { stream: StreamName; expected: Revision; events: readonly NewEvent[] }[] = [];
  readonly loaded: StreamName[] = [];

  constructor(inner: SharedLog, fault: FaultyLog['fault'] = () => 'none') {
    this.inner = inner;
    this.fault = fault;
  }

  async append(
    stream: StreamName,
    expected: Revision,
    events: readonly NewEvent[],
    body?: StagedBody,
  ): Promise<Appended> {
    const write = { stream, expected, events };
    return this.#under(write, () => this.inner.append(stream, expected, events, body));
  }

  async appendTogether(
    writes: readonly Write[],
    unless?: StreamName,
    body?: StagedBody,
  ): Promise<Appended> {
    return this.#under(writes[0]!, () => this.inner.appendTogether(writes, unless, body));
  }

  canAppendTogether(): Promise<boolean> {
    return this.inner.canAppendTogether();
  }

  keepYoungest(stream: StreamName, events: number): Promise<void> {
    return this.inner.keepYoungest(stream, events);
  }

  async #under(
    { stream, expected, events }: Write,
    write: () => Promise<Appended>,
  ): Promise<Appended> {
    this.asked.push({ stream, expected, events: structuredClone(events) });
    const fault = this.fault(stream, events);
    if (fault === 'late') await turnOfTheLoop();
    if (fault === 'full')
      throw new Trouble('log-full', { tryAgain: true, peer: 'disk full (#4.3.1)' });
    if (fault === 'conflict') throw new RevisionConflict(stream, expected, expected + 1);
    if (fault === 'refused') throw unavailable();
    const appended = await write();
    if (fault === 'lost') throw unavailable();
    return appended;
  }

  readStream(stream: StreamName, options?: ReadStream): Promise<readonly RecordedEvent[]> {
    this.loaded.push(stream);
    return this.inner.readStream(stream, options);
  }

  readAll(options: ReadAll): Promise<readonly RecordedEvent[]> {
    return this.inner.readAll(options);
  }

  head(): Promise<Position> {
    return this.inner.head();
  }

  subscribe(from: Position): Observable<LogSignal> {
    return this.inner.subscribe(from);
  }

  damages(): readonly Damage[] {
    return this.inner.damages();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

const unavailable = () =>
  new Trouble('log-unavailable', { tryAgain: true, peer: 'temporary failure (#4.3.0)' });
