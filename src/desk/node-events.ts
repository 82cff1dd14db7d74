/** The events of engines' starts, kept in memory: they are few, and every letter's page asks for the rules of the day. */
import type { LogReader, RecordedEvent, StreamName } from '../log/ports.ts';

const prefix = 'node-';

type Files = { readonly digest?: string; readonly files?: object };

export function nodeEvents(log: Pick<LogReader, 'readStream'>) {
  const names = new Set<StreamName>();
  const read = new Map<StreamName, RecordedEvent[]>();
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
      names.add(event.stream);
      const known = read.get(event.stream);
      if (known !== undefined && event.revision === (known.at(-1)?.revision ?? -1) + 1) {
        known.push(slim(event));
      }
    },
    async readStream(stream: StreamName): Promise<readonly RecordedEvent[]> {
      const known = read.get(stream);
      if (known !== undefined) return known;
      const events = (await log.readStream(stream)).map(slim);
      read.set(stream, events);
      return events;
    },
  };
}

export type NodeEvents = ReturnType<typeof nodeEvents>;
