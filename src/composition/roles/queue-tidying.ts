/** What the role `queue` does now and then: removes bodies that no letter needs, writes checkpoints. */
import type { Removals } from '../../spool/removals.ts';
import { complain } from '../complain.ts';
import { unlessTold } from '../log-watch.ts';
import type { QueueParts } from './queue-parts.ts';

/** How often bodies are removed and the need for a checkpoint is looked at. */
const tidyMs = 2_000;

/** After a checkpoint that could not be written. */
const checkpointPauseMs = 60_000;

export type Tidying = {
  pause(): void;
  /** Both at once, whatever trouble there is: what fails is only said. */
  lastly(): Promise<void>;
};

/** Rests while the log is in trouble. */
export function keepTidy(
  { keeper, health, logger }: Pick<QueueParts, 'keeper' | 'health' | 'logger'>,
  bodies: Removals,
): Tidying {
  const noRemoval = unlessTold(health, complain(logger, 'bodies not removed'));
  const noCheckpoint = complain(logger, 'no checkpoint');
  let checkpointFrom = -Infinity;
  // Removals first: what a checkpoint has folded in is not heard of again.
  const tidy = async (isLast: boolean): Promise<void> => {
    await bodies.flush().catch(noRemoval);
    if (performance.now() < checkpointFrom && !isLast) return;
    await keeper.checkpoint(isLast).catch((cause: unknown) => {
      checkpointFrom = performance.now() + checkpointPauseMs;
      noCheckpoint(cause);
    });
  };
  const timer = setInterval(() => {
    if (health.trouble === undefined) void tidy(false);
  }, tidyMs);
  return { pause: () => clearInterval(timer), lastly: () => tidy(true) };
}
