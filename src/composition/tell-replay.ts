/** Tells in the engine's own log how far the replay at a start is, and how long it took in the end. */
import type { Logger } from '../platform/logger.ts';
import type { KeeperOptions } from '../queue/agenda-keeper.ts';

/** Not more often than that. */
const everyMs = 1_000;

/** A replay of fewer events takes no time worth a line. */
const worthTelling = 10_000;

/** `now`: milliseconds from any origin. */
export function tellReplay(
  logger: Logger,
  now: () => number = () => performance.now(),
): Required<Pick<KeeperOptions, 'onProgress' | 'onCaughtUp'>> {
  const startedAt = now();
  let toldAt = startedAt;
  return {
    onProgress(position, head) {
      if (now() - toldAt < everyMs) return;
      toldAt = now();
      const percent = head === 0 ? 100 : Math.floor((100 * position) / head);
      logger.info({ position, head, percent }, 'replaying the log');
    },
    onCaughtUp(events) {
      if (events < worthTelling) return;
      const ms = Math.round(now() - startedAt);
      const perSecond = Math.round((events * 1000) / Math.max(1, ms));
      logger.info({ events, ms, perSecond }, 'log replayed');
    },
  };
}
