/** The log of a data directory, opened for reading and closed when the question is answered. */
import type { Damage } from '../log/ports.ts';
import { openReader, type ReadOnlyLog } from '../log/sqlite/open-reader.ts';
import { openStreamFinder } from '../log/sqlite/find-streams.ts';
import type { MessageId } from '../mail/envelope.ts';
import { findLetter } from '../trace/letter-name.ts';
import { readNodeHistory, type NodeHistory } from '../trace/rules-of-the-day.ts';
import { safe } from '../trace/words.ts';
import { dataFiles, refuseMissingLog, type DataFiles } from './places.ts';

export type OpenedLog = {
  readonly log: ReadOnlyLog;
  readonly files: DataFiles;
  /** The letter that a person means; throws `not-found`. */
  letter(text: string): MessageId;
  nodeHistory(): Promise<NodeHistory>;
};

/** Works while an engine writes to the log and while none does. Damage met on the way is told on stderr, once. */
export async function withLog<T>(
  data: string,
  use: (opened: OpenedLog) => Promise<T>,
  onDamage: (damage: Damage) => void = complain,
): Promise<T> {
  const files = dataFiles(data);
  refuseMissingLog(files);
  const log = openReader(files.log, { onDamage });
  const finder = openStreamFinder(files.log);
  try {
    return await use({
      ...{ log, files },
      letter: (text) => findLetter(text, (part, limit) => finder.letters(part, limit)),
      nodeHistory: () => readNodeHistory(log, finder.category('node')),
    });
  } finally {
    finder.close();
    log.close();
  }
}

function complain({ position, stream, what }: Damage): void {
  const place = stream === undefined ? '' : ` of ${safe(stream)}`;
  console.error(`waybill: event ${position}${place} is damaged: ${safe(what)}`);
}
