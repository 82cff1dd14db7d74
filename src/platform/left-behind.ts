/**
 * What programs leave running in the background: it may live as long as the program itself might have, and
 * is then ended with all of its process group. Whoever makes a group of his own (setsid) gets away; only
 * the machine's own limits hold him.
 */
import type { Clock, Moment } from './clock.ts';

export interface LeftBehind {
  /** Watches a process group whose leader has ended, if anything is left of it; it may live for so long. */
  watch(group: number, forMs: number): void;
}

/** A group's number is free again once the group is gone, so that it is looked at often enough. */
const lookAgainMs = 5_000;

export function leftBehind(clock: Clock): LeftBehind {
  const groups = new Map<number, { readonly until: Moment; readonly told: boolean }>();

  function look(): void {
    for (const [group, { until, told }] of groups) {
      const isOver = clock.steady() >= until;
      const signal = isOver ? (told ? 'SIGKILL' : 'SIGTERM') : 0;
      // Nobody survives KILL; the dead whom nobody buries need no watching.
      if (!send(group, signal) || signal === 'SIGKILL') groups.delete(group);
      else if (isOver) groups.set(group, { until, told: true });
    }
    if (groups.size > 0) clock.after(lookAgainMs, look);
  }

  return {
    watch(group, forMs) {
      if (!send(group, 0)) return;
      groups.set(group, { until: clock.steady() + forMs, told: false });
      if (groups.size === 1) clock.after(Math.min(lookAgainMs, Math.max(0, forMs)), look);
    },
  };
}

/** Whether anybody of the group is there to hear it. */
function send(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
