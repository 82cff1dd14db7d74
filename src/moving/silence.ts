/**
 * Whether a node still works on a log that several may share: one whose lease is not closed, and which says
 * something within its ttl. No machine's clock is asked, so it takes that long where a node has died.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogReader } from '../log/ports.ts';
import { safeLine } from '../mail/sanitize.ts';
import { leaseStream } from '../nodes/events.ts';
import { living, type Lease, type Leases } from '../nodes/leases.ts';

/** How often they are asked. */
const pauseMs = 500;

/** Who works there, in words; `undefined`: all are silent, or say that they have ended. */
export async function awaitSilence(
  log: Pick<LogReader, 'readStream'>,
  leases: Leases,
): Promise<string | undefined> {
  const open = living(leases);
  const begun = performance.now();
  const isDue = ({ ttlMs }: Lease) => performance.now() - begun < ttlMs;
  for (let watched = open; watched.length > 0; watched = watched.filter(isDue)) {
    for (const lease of watched) {
      const from = lease.revision + 1;
      const [said] = await log.readStream(leaseStream(lease.incarnation), { from, limit: 1 });
      if (said !== undefined) return `node ${safeLine(lease.node, 80)} works on it`;
    }
    await sleep(Math.min(pauseMs, ...watched.map(({ ttlMs }) => ttlMs)));
  }
  return undefined;
}
