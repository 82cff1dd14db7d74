/** The log as a person's command has it at hand, beside an engine that writes or without one; any engine's. */
import type { EventText, LogReader, ReadAll } from './ports.ts';

export type LogAtHand = LogReader & {
  /** A page as `readAll` gives it, with the events' data as text. */
  readTexts(options: ReadAll): readonly EventText[] | Promise<readonly EventText[]>;
  /** Another number than last time when there is something new. */
  version(): number;
  /** The bytes of a body that is kept in the log itself; absent where none are. */
  readBody?(stream: string): Uint8Array | undefined;
  /** What is wrong with the log's own file, a line each; absent where there is none. */
  check?(): readonly string[];
};
