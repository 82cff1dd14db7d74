/** A role at work, as whoever started it sees it. */
import type { Config } from '../../control/config.ts';
import type { Handed } from './handed.ts';

export type Running = {
  /**
   * SIGHUP: obeys these from now on; throws `ControlMistake` and keeps the old ones when they are wrong. Of the
   * configuration nothing is new but what can be obeyed at once (`control/config-reload.ts`).
   */
  reload(handed: Handed, config: Config): Promise<void>;
  /** SIGALRM: everything that waits is due now; only the queue does something. */
  retryAll?(by: string, why: string): Promise<void>;
  /** A role died and was started again; only the queue, which keeps the log, does something. */
  roleLost?(role: string, pid: number, how: string): Promise<void>;
  /** SIGTERM: takes no more, finishes what is under way, lets go of everything. */
  stop(why: string): Promise<void>;
};
