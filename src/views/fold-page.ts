/** A page of the log, its data still text, into changes. */
import type { LogAtHand } from '../log/at-hand.ts';
import { oddityOf } from '../log/event-shapes.ts';
import type { EventText, LogReader, Position, RecordedEvent, StreamName } from '../log/ports.ts';
import { fold, isNews, type Changes, type FindLetter } from './fold.ts';

/** What the views need of a log; texts are read where it has them, since most need no parsing. */
export type Log = Pick<LogReader, 'head' | 'readAll' | 'readStream'> &
  Partial<Pick<LogAtHand, 'readTexts'>>;

export type Page = readonly (RecordedEvent | EventText)[];

/** A page after that position. Fewer than `limit` events: the end was reached. */
export const readPage = async (log: Log, after: Position, limit: number): Promise<Page> =>
  log.readTexts === undefined ? log.readAll({ after, limit }) : log.readTexts({ after, limit });

const ofLetters = 'message-';

/** Why an event was passed over, and which. */
export type OnOdd = (odd: {
  readonly position: Position;
  readonly stream: StreamName;
  readonly what: string;
}) => void;

/** Whoever reads texts has nobody before him who looks whether events are of the shape of ours. */
export function foldPage(
  changes: Changes,
  page: Page,
  find: FindLetter,
  onOdd: OnOdd = () => undefined,
): Changes {
  for (const event of page) {
    const { position, stream, type } = event;
    if (!stream.startsWith(ofLetters) || !isNews(type)) continue;
    const known = 'json' in event ? parsed(event) : event;
    const what = 'json' in event ? oddityOf(known) : undefined;
    if (what === undefined) fold(changes, known, find);
    else onOdd({ position, stream, what });
  }
  return changes;
}

const parsed = ({ position, stream, revision, type, v, at, json }: EventText): RecordedEvent => ({
  ...{ position, stream, revision, type, v, at },
  data: JSON.parse(json) as unknown,
});
