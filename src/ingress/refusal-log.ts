/**
 * What the doors turned away, into the log: so many a minute in full, the rest as a count, so that an
 * attack cannot flood it. One stream per door and day.
 */
import { noStream, type EventLog, type Revision } from '../log/ports.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { DoorEvent } from './events.ts';
import type { Refusals } from './ports.ts';

export function refusalLog(parts: {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly perMinute: () => number;
  readonly onTrouble: (cause: unknown) => void;
}): Refusals & { close(): void } {
  const { log, clock, perMinute, onTrouble } = parts;
  const doors = new Map<string, { stream: string; revision: Revision; tail: Promise<void> }>();
  let minute: Cancel | undefined;
  let spent = 0;
  const suppressed = new Map<string, number>();

  const tell = (door: string, event: DoorEvent): void => {
    const day = new Date(clock.now()).toISOString().slice(0, 10);
    // A new stream per start as well: its first revision is then always known.
    const stream = `door-${door}-${day}-${started.toString(36)}`;
    const known = doors.get(door);
    const place = known?.stream === stream ? known : { stream, revision: noStream, tail: settled };
    doors.set(door, place);
    place.tail = place.tail
      .then(async () => {
        ({ revision: place.revision } = await log.append(stream, place.revision, [event]));
      })
      .catch(onTrouble);
  };
  const started = clock.now();
  const flush = (): void => {
    minute = undefined;
    spent = 0;
    for (const [door, count] of suppressed) {
      tell(door, { type: 'RefusalsSuppressed', v: 1, at: clock.now(), data: { count } });
    }
    suppressed.clear();
  };
  return {
    note({ door, ...refusal }) {
      minute ??= clock.at(clock.now() + 60_000, flush);
      spent += 1;
      if (spent > perMinute()) suppressed.set(door, (suppressed.get(door) ?? 0) + 1);
      else tell(door, { type: 'Refused', v: 1, at: clock.now(), data: refusal });
    },
    close() {
      minute?.();
      if (suppressed.size > 0) flush();
    },
  };
}

const settled = Promise.resolve();
