/** The orderly end of the role `queue`: attempts first, then the lease, then the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { complain } from '../complain.ts';
import { isHopeless } from '../log-watch.ts';
import type { QueueParts } from './queue-parts.ts';
import type { Tidying } from './queue-tidying.ts';
import type { QueueWork } from './queue-work.ts';

/** How long TERM waits for attempts under way; after it they are in doubt at the next start. */
const drainMs = 60_000;

/** How long the agenda may take to hear of what was written last. */
const lastWordsMs = 20;

export async function stopQueue(
  parts: QueueParts,
  { work, tidying, why }: { work: QueueWork; tidying: Tidying; why: string },
): Promise<void> {
  const { dropBox, health, refusalLog, log } = parts;
  tidying.pause();
  await dropBox.close();
  await finishAttempts(parts);
  await leaveNodes(parts);
  health.close();
  work.running.unsubscribe();
  refusalLog.close();
  await tellStop(parts, why);
  // The agenda hears of the last events in the next turns; then the checkpoint holds them all.
  await sleep(lastWordsMs);
  await tidying.lastly();
  work.following.unsubscribe();
  await log.close();
}

/** Starts no more, and waits for those under way while their verdicts have any hope of the log. */
async function finishAttempts({ scheduler, nodes, health, logger }: QueueParts): Promise<void> {
  scheduler.stop();
  if (health.trouble === undefined) {
    await nodes.drain().catch(complain(logger, 'draining not recorded'));
  }
  const since = Date.now();
  const until = performance.now() + drainMs;
  const worthWaiting = (): boolean =>
    attemptsUnderWay(scheduler) > 0 && !isHopeless(health.trouble, since, Date.now());
  while (worthWaiting() && performance.now() < until) await sleep(20);
}

/** Others need not wait for a lease whose letters nobody is busy with. */
async function leaveNodes({ scheduler, nodes, health, logger }: QueueParts): Promise<void> {
  const idle = attemptsUnderWay(scheduler) === 0 && health.trouble === undefined;
  await nodes.close(idle).catch(complain(logger, 'lease not closed'));
}

/** A full disk may not take it; then the next start is the first to say that we stopped. */
async function tellStop({ node, keeper, logger }: QueueParts, why: string): Promise<void> {
  const open = keeper.agenda.rows.recipients;
  await node
    .tell({ type: 'NodeStopped', data: { why, open } })
    .catch(complain(logger, 'stop not recorded'));
}

const attemptsUnderWay = ({ active }: QueueParts['scheduler']): number =>
  active.local + active.remote;
