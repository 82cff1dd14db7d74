/**
 * A projection in the event store's language as a question: its states are the answer. What it would write
 * is counted and not written: nobody but the queue writes to this log.
 */
import { basename } from 'node:path';
import { eventId } from '../../log/event-id.ts';
import { count as inWords } from '../../trace/words.ts';
import type { Answer, Happening, Question } from '../ports.ts';
import { define } from './definition.ts';
import { namesOf, Projection, type Emitted, type StoredEvent } from './projection.ts';

/** The event store's own limits, milliseconds: what takes longer here would fail there. */
const portableLoadMs = 500;
export const portableCallMs = 250;

type View = {
  readonly projection: Projection;
  readonly written: { count: number; readonly streams: Set<string> };
};

/** So many streams are told apart. */
const mostStreams = 10_000;

/** Throws what the file throws, or says what is wrong with it. */
export function portableQuestion(text: string, file: string): Question<View> {
  const name = basename(file, '.js');
  // A world of its own each time: what a file keeps in variables is its own as well.
  const defined = () => define(text, file, portableLoadMs);
  const types = namesOf(defined());
  return {
    title: /^\s*(?:\/\/|\/\*+)\s*(.+?)\s*(?:\*\/)?$/m.exec(text)?.[1] ?? `the projection ${name}`,
    about: "a projection in the event store's language: its state by partition",
    bounds: 'grows with its partitions',
    ...(types.length === 0 ? {} : { hears: types as Happening['type'][] }),
    empty() {
      const written = { count: 0, streams: new Set<string>() };
      const note = ({ stream }: Emitted): void => {
        written.count += 1;
        if (written.streams.size < mostStreams) written.streams.add(stream);
      };
      return { written, projection: new Projection(name, defined(), note) };
    },
    fold(view, event) {
      view.projection.handle(toStored(event));
      return view;
    },
    answer: (view) => answerOf(view),
  };
}

/** As the event store has it. */
function toStored({ stream, revision, type, v, at, data }: Happening): StoredEvent {
  const bodyRaw = JSON.stringify(data);
  return {
    ...{ streamId: stream, sequenceNumber: revision, eventType: type, bodyRaw },
    metadataRaw: JSON.stringify({ v: String(v), at: String(at) }),
    eventId: eventId(stream, revision, at, `${type} ${v} ${bodyRaw}`),
    created: new Date(at).toISOString(),
  };
}

function answerOf({ projection, written }: View): Answer {
  const { states, results } = projection;
  const hasResults = results.size > 0;
  const { count, streams } = written;
  const many = `${streams.size < mostStreams ? '' : 'at least '}${inWords(streams.size, 'stream')}`;
  return {
    kind: 'table',
    columns: [
      ...[{ name: 'partition' }, { name: 'state' }],
      ...(hasResults ? [{ name: 'result' }] : []),
    ],
    rows: [...states].map(([partition, state]) => [
      ...[partition, state],
      ...(hasResults ? [results.get(partition)] : []),
    ]),
    ...(count === 0
      ? {}
      : { notes: [`In an event store it would write ${inWords(count, 'event')} to ${many}.`] }),
  };
}
