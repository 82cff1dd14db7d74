/**
 * An append may work though its answer gets lost; whoever asked then asks again with the same words.
 * Such a repetition succeeds and writes nothing (KurrentDB's strong rule: at an exact revision).
 */
import type { NewEvent, RecordedEvent } from './ports.ts';

/** Whether `there`, the events after the expected revision, begin with exactly `asked`. */
export function isRepetition(asked: readonly NewEvent[], there: readonly RecordedEvent[]): boolean {
  return (
    asked.length > 0 &&
    there.length >= asked.length &&
    asked.every((event, index) => isSame(event, there[index]!))
  );
}

const isSame = (a: NewEvent, b: NewEvent): boolean =>
  a.type === b.type &&
  a.v === b.v &&
  a.at === b.at &&
  JSON.stringify(a.data) === JSON.stringify(b.data);
