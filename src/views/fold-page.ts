/** A page of the log, its data still text, into changes. */
import type { LogAtHand } from '../log/at-hand.ts';
import type { EventText, LogReader, Position, RecordedEvent } from '../log/ports.ts';
import { fold, isNews, type Changes, type FindLetter } from './fold.ts';

/** What the views need of a log; texts are read where it has them, since most need no parsing. */
export type Log = Pick<LogReader, 'head' | 'readAll' | 'readStream'> &
  Partial<Pick<LogAtHand, 'readTexts'>>;

export type Page = readonly (RecordedEvent | EventText)[];

/** A page after that position. Fewer than `limit` events: the end was reached. */
export const readPage = async (log: Log, after: Position, limit: number): Promise<Page> =>
  log.readTexts === undefined ? log.readAll({ after, limit }) : log.readTexts({ after, limit });

const ofLetters = 'message-';

export function foldPage(changes: Changes, page: Page, find: FindLetter): Changes {
  for (const event of page) {
    if (!event.stream.startsWith(ofLetters) || !isNews(event.type)) continue;
    fold(changes, 'json' in event ? parsed(event) : event, find);
  }
  return changes;
}

const parsed = ({ position, stream, revision, type, v, at, json }: EventText): RecordedEvent => ({
  ...{ position, stream, revision, type, v, at },
  data: JSON.parse(json) as unknown,
});
