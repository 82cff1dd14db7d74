import { describe, expect, it } from '@jest/globals';
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import { firstDue, letterFacts } from '../../src/trace/queue-rows.ts';
import { age, birth, deferred, held, letter, released, started } from '../support/queue-mail.ts';
import { idEnding, letterLog, ofLetter, recorded } from './recorded.ts';

const agendaOf = (events: readonly Parameters<typeof fold>[1][]): Agenda =>
  events.reduce(fold, empty());

describe('the queue', () => {
  it('lists recipients by due time, and counts them all', () => {
    const [a, b] = [idEnding('0a'), idEnding('0b')];
    const agenda = agendaOf(
      recorded(
        ...ofLetter(
          [...letter('x@c.test', 'y@d.test'), started(['x@c.test']), deferred(0, 'x@c.test', 400)],
          a,
        ),
        ...ofLetter([...letter('z@here.test'), held()], b),
      ),
    );
    const { rows, counts } = firstDue(agenda, age(1), 10);
    expect(
      rows.map(({ message, rcpt, due, status, lane }) => [message, rcpt, due, status, lane]),
    ).toEqual([
      [a, 1, birth, 'waiting', 'remote d.test'],
      [b, 0, birth, 'held', 'local z'],
      [a, 0, age(400), 'waiting', 'remote c.test'],
    ]);
    expect(counts).toEqual({
      ...{ letters: 2, recipients: 3, due: 1, held: 1, attempting: 0, owing: 0, aside: 0 },
    });
  });

  it('shows the first of many, however they lie', () => {
    const many = Array.from({ length: 3_000 }, (_, n) => n);
    const agenda = empty();
    for (const n of many) {
      agenda.rows.add(
        idEnding(String(n).padStart(6, '0')),
        ['remote a.test'],
        age((n * 7919) % 3_000),
      );
    }
    const { rows, counts } = firstDue(agenda, age(10), 5);
    expect(rows.map(({ due }) => due)).toEqual([0, 1, 2, 3, 4].map(age));
    expect([counts.recipients, counts.due]).toEqual([3_000, 11]);
  });
});

describe("a letter's facts", () => {
  it('are its last reply per recipient, who holds it and what is under way', () => {
    const facts = letterFacts(
      letterLog(
        letter('x@c.test', 'y@d.test'),
        started(['x@c.test']),
        deferred(0, 'x@c.test', 400),
        started(['y@d.test'], { attempt: 2, rcpts: [1], at: 3 }),
        held(7),
      ),
    );
    expect(facts).toMatchObject({
      ...{ birth, returnPath: 'joe@here.test', bytes: 12 },
      held: { by: 'postmaster', why: 'a test', at: age(7) },
      recipients: [
        { address: 'x@c.test', tries: 1, lastReply: { code: 250 }, startedAt: undefined },
        { address: 'y@d.test', tries: 1, lastReply: undefined, startedAt: age(3) },
      ],
    });
    expect(letterFacts(letterLog(letter('x@c.test'), held(), released())).held).toBeUndefined();
  });
});
