/** The events of engines' starts, kept in memory: they are few, and every letter's page asks for the rules of the day. */
import type { LogReader, RecordedEvent, Revision, StreamName } from '../log/ports.ts';

const prefix = 'node-';

type Files = { readonly digest?: string; readonly files?: object };

export function nodeEvents(log: Pick<LogReader, 'readStream'>) {
  const names = new Set<StreamName>();
  const read = new Map<StreamName, RecordedEvent[]>();
  /** The last revision heard of a stream: what is read may be older by the time it comes. */
  const heard = new Map<StreamName, Revision>();
  /** The texts of one version of the control files are kept once, however often it was loaded. */
  const files = new Map<string, object>();
  const slim = (event: RecordedEvent): RecordedEvent => {
    const data = event.data as Files;
    if (data.digest === undefined || data.files === undefined) return event;
    if (!files.has(data.digest)) files.set(data.digest, data.files);
    return { ...event, data: { ...data, files: files.get(data.digest) } };
  };
  return {
    streams: (): readonly StreamName[] => [...names],
    add(more: Iterable<StreamName>): void {
      for (const name of more) names.add(name);
    },
    hear(event: RecordedEvent): void {
      if (!event.stream.startsWith(prefix)) return;
      const { stream, revision } = event;
      names.add(stream);
      heard.set(stream, revision);
      const known = read.get(stream);
      if (known !== undefined && revision === lastOf(known) + 1) known.push(slim(event));
      else if (known !== undefined && revision > lastOf(known)) read.delete(stream);
    },
    async readStream(stream: StreamName): Promise<readonly RecordedEvent[]> {
      const known = read.get(stream);
      if (known !== undefined) return known;
      const events = (await log.readStream(stream)).map(slim);
      if (lastOf(events) >= (heard.get(stream) ?? -1)) read.set(stream, events);
      return events;
    },
  };
}

const lastOf = (events: readonly RecordedEvent[]): Revision => events.at(-1)?.revision ?? -1;

export type NodeEvents = ReturnType<typeof nodeEvents>;
