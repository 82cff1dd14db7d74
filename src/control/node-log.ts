/** Writes the story of this node: starts, stops, settings, lost roles. One stream per start, so that none grows for ever. */
import { ownStream } from '../log/own-stream.ts';
import type { EventLog } from '../log/ports.ts';
import type { Clock, Instant } from '../platform/clock.ts';
import type { NodeEvent } from './events.ts';

export interface NodeLog {
  /** Resolves when durable. Events of one node are written in the order told; `at`: when it was, if not now. */
  tell(event: Told, at?: Instant): Promise<void>;
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
  const stream = ownStream(log, nodeStream(node, clock.now()));
  return {
    tell: ({ type, data }, at = clock.now()) => stream.append({ type, v: 1, at, data }),
  };
}
