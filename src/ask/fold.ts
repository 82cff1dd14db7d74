/** Events to a question, inside its cage, each call with a time limit of its own. */
import type { Happening } from './ports.ts';
import { hear, park, saidBy, type Run } from './run.ts';
import { runWithin, tookTooLong } from '../platform/time-limit.ts';

export type Folding = {
  /** How long a question may take over one event, milliseconds. */
  readonly callMs: number;
  /** Told which event comes next: whatever happens then, happened to that one. */
  readonly onTurn?: (event: Happening | undefined) => void;
  /** Told at least once per `callMs`. */
  readonly onAlive?: () => void;
};

/**
 * Gives what they had to say, line by line. A limit has its price (0.2 ms), so it is set for a stretch of
 * events: who begins an event in the first half of the time and does not end it in the second took too long.
 */
export function foldEvents(
  run: Run,
  events: readonly Happening[],
  { callMs, onTurn, onAlive }: Folding,
): readonly string[] {
  const lines: string[] = [];
  let next = 0;
  const stretch = (): void => {
    let now = performance.now();
    for (const until = now + callMs; now < until && next < events.length; next += 1) {
      const event = events[next]!;
      onTurn?.(event);
      hear(run, event);
      for (const line of saidBy(run)) lines.push(oneLine(line));
      const begun = now;
      now = performance.now();
      if (now - begun > callMs) park(run, tookTooLong('it', callMs), event);
      if (run.parked !== undefined) return;
    }
  };
  while (next < events.length && run.parked === undefined) {
    if (runWithin(2 * callMs, stretch) === 'late') {
      park(run, tookTooLong('it', callMs), events[next]);
    }
    onAlive?.();
  }
  onTurn?.(undefined);
  return lines;
}

/** A stranger's text may be in it. */
function oneLine(line: string): string {
  const text = String(line);
  return text.includes('\n') ? text.replaceAll('\n', ' ') : text;
}
