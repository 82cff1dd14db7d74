/** Our log as the event store's protocol shows it: the same ids and metadata that the log in KurrentDB has. */
import { eventId } from '../log/event-id.ts';
import { logStart, type LogReader, type RecordedEvent } from '../log/ports.ts';
import type { WireEvent } from './answers.ts';
import type { EventSource } from './read.ts';

export type LogSource = EventSource & { close(): void };

/** One look-out for all who follow. */
export function logSource(log: LogReader): LogSource {
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  let watching: { unsubscribe(): void } | undefined;
  const watch = async (): Promise<void> => {
    const head = await log.head();
    // Whoever listens reads for himself; here it only matters that there is something.
    if (listeners.size > 0)
      watching ??= log.subscribe(head).subscribe({ next: tell, error: again });
    tell();
  };
  const begin = (): void => void watch().catch(again);
  const again = (): void => {
    stop();
    setTimeout(() => listeners.size > 0 && begin(), 1_000).unref();
  };
  const stop = (): void => {
    watching?.unsubscribe();
    watching = undefined;
  };
  return {
    async bounds(stream) {
      const [last] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
      return last === undefined ? undefined : { first: 0, last: last.revision };
    },
    async streamPage(stream, from, backwards, limit) {
      const direction = backwards ? 'backwards' : 'forwards';
      return (await log.readStream(stream, { from, direction, limit })).map(toWire);
    },
    async page(from, backwards, limit) {
      const page = backwards
        ? await log.readAll({ after: from, direction: 'backwards', limit })
        : await log.readAll({ after: Math.max(logStart, from - 1), limit });
      return page.map(toWire);
    },
    // Positions are dense here: every one can be read from.
    isPosition: () => true,
    head: () => log.head(),
    onMoved(listener) {
      listeners.add(listener);
      if (listeners.size === 1) begin();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    close: stop,
  };
}

function toWire({ stream, revision, position, type, v, at, data }: RecordedEvent): WireEvent {
  const text = JSON.stringify(data);
  const said = {
    ...{ v: String(v), at: String(at) },
    ...(typeof data === 'string' ? { text: '1' } : {}),
  };
  return {
    ...{ stream, revision, position, type, created: at, isJson: true },
    id: eventId(stream, revision, at, `${type} ${v} ${text}`),
    data: Buffer.from(text, 'utf8'),
    metadata: Buffer.from(JSON.stringify(said), 'utf8'),
  };
}
