/**
 * The queue at any place: from the nearest mark before it, through the events up to it. What a question
 * has loaded may be kept for the next, which is often one about the moment after.
 */
import { fold, type Agenda } from '../../projections/agenda.ts';
import type { Position } from '../log/ports.ts';
import { pagesOf } from '../trace/pages.ts';
import { firstDue } from '../trace/queue-rows.ts';
import { listMarks, type MarkFile } from './marks.ts';
import type { MarkPlace } from './mark.ts';
import type { Past, PastOptions, Place, QueueAnswer, Snapshot } from './ports.ts';
import { nothingMarked, readMark, restoreMark } from './restore.ts';

type Held = {
  readonly agenda: Agenda;
  place: MarkPlace;
};

/** Enough for a few places that somebody goes to and fro between. */
const mostHeld = 4;

/** So many troubles are remembered, to be told once each. */
const mostTold = 1_000;

export function openPast(given: PastOptions): Past {
  const { keepRows = 1_500_000 } = given;
  const options = { ...given, onTrouble: once(given.onTrouble) };
  let held: Held[] = [];
  const keep = (one: Held): void => {
    held = [one, ...held.filter((other) => other !== one)].slice(0, mostHeld);
    const rows = () => held.reduce((sum, { agenda }) => sum + agenda.rows.recipients, 0);
    while (held.length > 0 && rows() > keepRows) held.pop();
  };
  const answer = async (place: Place, limit: number): Promise<QueueAnswer> => {
    const marks = marksBefore(options, place);
    const near = nearest(held, place);
    const isNear = near !== undefined && near.place.position >= (marks.at(-1)?.position ?? 0);
    const one: Held = isNear ? near : await restoreMark(options, marks);
    // Half-way through its events it would be true nowhere.
    held = held.filter((other) => other !== one);
    await advance(options, one, place);
    keep(one);
    const now = instantOf(place, one.place);
    const { rows, counts } = firstDue(one.agenda, now, limit);
    return { position: one.place.position, now, rows, counts, owing: [...one.agenda.owing] };
  };
  // One question after the other: they share what is held.
  let last: Promise<unknown> = Promise.resolve();
  return {
    async agendaAt(place): Promise<Snapshot> {
      const one: Held = await restoreMark(options, marksBefore(options, place));
      await advance(options, one, place);
      const { agenda } = one;
      return { agenda, position: one.place.position, now: instantOf(place, one.place) };
    },
    queueAt(place, limit) {
      const answered = last.then(() => answer(place, limit));
      last = answered.catch(() => undefined);
      return answered;
    },
    positionAt: (instant) => positionAt(options, instant),
  };
}

/** Whoever drags a slider passes the same broken mark again and again. */
function once(tell: PastOptions['onTrouble']): (words: string) => void {
  const told = new Set<string>();
  return (words) => {
    if (told.has(words)) return;
    if (told.size >= mostTold) told.clear();
    told.add(words);
    tell?.(words);
  };
}

const instantOf = (place: Place, { at }: MarkPlace): number => ('at' in place ? place.at : at);

const isBefore = ({ position, latest }: Pick<MarkPlace, 'position' | 'latest'>, place: Place) =>
  'position' in place ? position <= place.position : latest <= place.at;

/** Positions and latest instants both never go down from one mark to the next. */
const marksBefore = ({ directory, onTrouble }: PastOptions, place: Place): readonly MarkFile[] =>
  listMarks(directory, onTrouble).filter((mark) => isBefore(mark, place));

const nearest = (held: readonly Held[], place: Place): Held | undefined =>
  held
    .filter((one) => isBefore(one.place, place))
    .sort((a, b) => b.place.position - a.place.position)[0];

/** Folds what comes after it, up to the place. */
async function advance({ log, onProgress }: PastOptions, one: Held, place: Place): Promise<void> {
  const from = one.place.position;
  const head = await log.head();
  const upTo = 'position' in place ? Math.min(place.position, head) : head;
  const walk = {
    ...{ after: from, upTo },
    rest: turnOfTheLoop,
    onProgress: (position: Position) => onProgress?.(position - from, upTo - from),
  };
  for await (const page of pagesOf(log, walk)) {
    for (const event of page) {
      const { position, stream, revision, at } = event;
      if ('at' in place && at > place.at) return;
      fold(one.agenda, event);
      const { latest, events } = one.place;
      const here = { position, stream, revision, at };
      one.place = { ...here, latest: Math.max(latest, at), events: events + 1 };
    }
  }
}

/** The last event before the first that is later. A mark says of all before it that none is. */
async function positionAt(options: PastOptions, instant: number): Promise<Position> {
  let position = await lastSound(options, marksBefore(options, { at: instant }));
  for await (const page of pagesOf(options.log, { after: position, rest: turnOfTheLoop })) {
    const later = page.findIndex(({ at }) => at > instant);
    if (later === 0) return position;
    position = page[(later === -1 ? page.length : later) - 1]!.position;
    if (later !== -1) return position;
  }
  return position;
}

async function lastSound(options: PastOptions, marks: readonly MarkFile[]): Promise<Position> {
  for (const file of marks.toReversed()) {
    const mark = await readMark(options, file, 'any');
    if (mark !== undefined) return mark.head.position;
  }
  return nothingMarked.position;
}

/** Others of this process have their turn between two pages. */
const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
