/** What an engine tells of itself in its own stream, in the order in which it becomes true. */
import { hostname } from 'node:os';
import { nodeName } from '../engine.module.ts';
import { surely } from '../log-watch.ts';
import { version } from '../version.ts';
import type { QueueParts } from './queue-parts.ts';

/** Resolves when all of it is in the log, however long a full disk takes; then letters may come and go. */
export async function tellStart(parts: QueueParts): Promise<void> {
  const { config, controls, health, node, nodes } = parts;
  const name = nodeName(config, controls);
  const data = { node: name, version, pid: process.pid, host: hostname() };
  await surely(health, () => node.tell({ type: 'NodeStarted', data }));
  await tellVerified(parts);
  await tellControls(parts);
  await surely(health, () => nodes.open());
}

/** The rules of the day: what is decided from now on is decided by these. */
export async function tellControls({ controls, health, node }: QueueParts): Promise<void> {
  await surely(health, () => {
    const { digest, files } = controls.current;
    return node.tell({ type: 'ControlsLoaded', data: { digest, files } });
  });
}

/** Only where a sync had failed before: this start has looked the log over. */
async function tellVerified({ cleared, logger, health, node }: QueueParts): Promise<void> {
  const found = cleared();
  if (found === undefined) return;
  const { at: suspectedAt, what, head, events } = found;
  const verified = { suspectedAt, what, head, events };
  logger.warn(verified, 'a sync of the log had failed: looked over, and it holds');
  await surely(health, () => node.tell({ type: 'LogVerified', data: verified }));
}
