/** The queue's own agenda, lane by lane: how many wait for what, and when the next is due. */
import type { Asked, Question } from '../src/ask/ports.ts';
import { rowStatus } from './agenda-rows.ts';
import { empty, fold, type Agenda } from './agenda.ts';

type Lane = { waiting: number; due: number; attempting: number; held: number; next: number };

export const question: Question<Agenda> = {
  title: 'The agenda by lanes',
  about:
    'recipients that wait, those of them that are due, under attempt, held; and when the next is due',
  bounds: 'recipients that are not done: about 80 bytes each',
  hears: [
    'MessageQueued',
    'AttemptStarted',
    'RecipientDeferred',
    'RecipientDelivered',
    'RecipientFailed',
    'RecipientCancelled',
    'RecipientRedirected',
    'RetryRequested',
    'RetryAllRequested',
    'MessageHeld',
    'MessageReleased',
    'MessageSettled',
    'MessageCleanedUp',
  ],
  learns: true,
  empty,
  fold,
  answer: (agenda, asked) => ({
    kind: 'table',
    columns: [
      { name: 'waiting', format: 'count' },
      { name: 'due', format: 'count' },
      { name: 'attempting', format: 'count' },
      { name: 'held', format: 'count' },
      { name: 'next', format: 'instant' },
      { name: 'lane' },
    ],
    rows: [...lanesOf(agenda, asked)]
      .sort(([, one], [, two]) => total(two) - total(one))
      .map(([name, { waiting, due, attempting, held, next }]) => [
        ...[waiting, due, attempting, held],
        ...[Number.isFinite(next) ? next : undefined, name],
      ]),
    notes: agenda.owing.size === 0 ? [] : [`${agenda.owing.size} bounces are owed`],
  }),
};

const total = ({ waiting, attempting, held }: Lane): number => waiting + attempting + held;

function lanesOf({ rows }: Agenda, { now }: Asked): ReadonlyMap<string, Lane> {
  const lanes = new Map<string, Lane>();
  for (const letter of rows.openLetters()) {
    const isHeld = rows.isHeld(letter);
    for (const row of rows.rowsOf(letter)) {
      const name = rows.laneName(rows.lane[row]!);
      const lane = lanes.get(name) ?? {
        waiting: 0,
        due: 0,
        attempting: 0,
        held: 0,
        next: Infinity,
      };
      lanes.set(name, lane);
      if (rows.status[row] === rowStatus.attempting) lane.attempting += 1;
      else if (isHeld) lane.held += 1;
      else {
        lane.waiting += 1;
        if (rows.due[row]! <= now) lane.due += 1;
        lane.next = Math.min(lane.next, rows.due[row]!);
      }
    }
  }
  return lanes;
}
