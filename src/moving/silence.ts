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
  const begun = performance.now();
  for (let watched = living(leases); watched.length > 0;) {
    // Each is asked once more when its time is up: it may have spoken since it was asked last.
    const asked = performance.now() - begun;
    for (const lease of watched) {
      const from = lease.revision + 1;
      const [said] = await log.readStream(leaseStream(lease.incarnation), { from, limit: 1 });
      if (said !== undefined) return `node ${safeLine(lease.node, 80)} works on it`;
    }
    watched = watched.filter(({ ttlMs }) => asked < ttlMs);
    if (watched.length > 0) await sleep(pauseUntil(watched, asked));
  }
  return undefined;
}

const pauseUntil = (watched: readonly Lease[], asked: number): number =>
  Math.min(pauseMs, ...watched.map(({ ttlMs }) => Math.ceil(ttlMs - asked)));
