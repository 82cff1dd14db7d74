/**
 * What the doors turned away, into the log: so many a minute in full, the rest as a count, so that an
 * attack cannot flood it. One stream per door and day.
 */
import { ownStream, type OwnStream } from '../log/own-stream.ts';
import type { EventLog } from '../log/ports.ts';
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
  const doors = new Map<string, { name: string; stream: OwnStream }>();
  const started = clock.now();
  let minute: Cancel | undefined;
  let spent = 0;
  const suppressed = new Map<string, number>();

  const streamOf = (door: string): OwnStream => {
    const day = new Date(clock.now()).toISOString().slice(0, 10);
    // A new stream per start as well: its end is then known.
    const name = `door-${door}-${day}-${started.toString(36)}`;
    const known = doors.get(door);
    if (known?.name === name) return known.stream;
    const stream = ownStream(log, name);
    doors.set(door, { name, stream });
    return stream;
  };
  const tell = (door: string, event: DoorEvent): void => {
    streamOf(door).append(event).catch(onTrouble);
  };
  const flush = (): void => {
    minute = undefined;
    spent = 0;
    for (const [door, count] of suppressed) {
      tell(door, { type: 'RefusalsSuppressed', v: 1, at: clock.now(), data: { count } });
    }
    suppressed.clear();
  };
  return {
    note({ door: name, ...refusal }) {
      const door = plain(name);
      minute ??= clock.after(60_000, flush);
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

/** Names of streams are lower-case ASCII, whatever a door calls itself. */
const plain = (door: string): string =>
  String(door)
    .slice(0, 40)
    .toLowerCase()
    .replace(/[^a-z0-9.]/g, '-');
