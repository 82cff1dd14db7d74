/** Writes the story of this node: starts, stops, settings, lost roles. One stream per start, so that none grows for ever. */
import { noStream, type EventLog, type Revision } from '../log/ports.ts';
import type { Clock } from '../platform/clock.ts';
import type { NodeEvent } from './events.ts';

export interface NodeLog {
  /** Resolves when durable. Events of one node are written in the order told. */
  tell(event: Told): Promise<void>;
}

type Told = NodeEvent extends infer E
  ? E extends NodeEvent
    ? Pick<E, 'type' | 'data'>
    : never
  : never;

/** `node-<name>-<start>`, where start is the instant in base 36. */
export const nodeStream = (node: string, startedAt: number): string =>
  `node-${node.toLowerCase().replace(/[^a-z0-9.]/g, '-')}-${startedAt.toString(36)}`;

export function openNodeLog(log: EventLog, node: string, clock: Clock): NodeLog {
  const stream = nodeStream(node, clock.now());
  let revision: Revision = noStream;
  let tail: Promise<unknown> = Promise.resolve();
  return {
    tell({ type, data }) {
      const written = tail.then(async () => {
        const event = { type, v: 1, at: clock.now(), data };
        ({ revision } = await log.append(stream, revision, [event]));
      });
      tail = written.catch(() => undefined);
      return written;
    },
  };
}
