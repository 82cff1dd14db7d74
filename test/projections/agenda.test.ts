import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { empty, fold, laneOf, type Agenda } from '../../projections/agenda.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { messageStream, type QueueEvent } from '../../src/queue/events.ts';
import type { QueueState } from '../../src/queue/state.ts';
import { viewOf, type RowView } from '../support/agenda-view.ts';
import {
  age,
  birth,
  cancelled,
  cleanedUp,
  deferred,
  delivered,
  failed,
  held,
  letter,
  message,
  redirected,
  released,
  retryRequested,
  settled,
  started,
  way,
} from '../support/queue-mail.ts';
import { play, walks } from '../support/random-letters.ts';

const ann = 'ann@a.test';
const joe = 'joe@here.test';

/** The agenda after these events of one letter. */
function after(...events: readonly (QueueEvent | readonly QueueEvent[])[]): Agenda {
  const agenda = empty();
  for (const event of events.flat()) {
    fold(agenda, { ...event, stream: messageStream(message) });
  }
  return agenda;
}

const rowsOf = (agenda: Agenda): readonly RowView[] => viewOf(agenda).letters[message]?.rows ?? [];
const retryAll = { type: 'RetryAllRequested', v: 1, data: {}, stream: 'node-here-1' } as const;

const fresh = (rcpt: number, lane: string): RowView => ({
  ...{ rcpt, lane, due: birth, status: 'waiting', tried: false },
});

describe('the agenda', () => {
  it('has every recipient of a new letter, due at once, in the order of the envelope', () => {
    expect(rowsOf(after(letter(ann, joe)))).toEqual([
      fresh(0, 'remote a.test'),
      fresh(1, 'local joe'),
    ]);
  });

  it('knows whom an attempt is under way for, and in which lane', () => {
    const rows = rowsOf(after(letter(ann, joe), started(['ann@b.test'])));
    expect(rows[0]).toEqual({
      ...fresh(0, 'remote b.test'),
      ...{ status: 'attempting', tried: true },
    });
    expect(rows[1]).toEqual(fresh(1, 'local joe'));
  });

  it('has a deferred recipient wait until its time', () => {
    expect(rowsOf(after(letter(ann), started([ann]), deferred(0, ann, 400)))).toEqual([
      { ...fresh(0, 'remote a.test'), due: age(400), tried: true },
    ]);
  });

  it.each([
    ['delivered', delivered(0, ann)],
    ['failed', failed(0, ann)],
    ['cancelled', cancelled(0, ann)],
  ])('forgets who is %s', (_, event) => {
    expect(rowsOf(after(letter(ann, joe), event))).toEqual([fresh(1, 'local joe')]);
    const done = after(letter(ann), event);
    expect([done.rows.letters, done.rows.recipients, done.rows.has(message)]).toEqual([
      0,
      0,
      false,
    ]);
  });

  it.each([
    ['a retry', retryRequested([0], 7)],
    ['a redirection', redirected(0, joe, 7)],
  ])('has a recipient due at once after %s', (_, event) => {
    const rows = rowsOf(after(letter(ann), started([ann]), deferred(0, ann, 400), event));
    expect(rows[0]?.due).toBe(age(7));
  });

  it('knows what is on hold', () => {
    expect(viewOf(after(letter(ann), held())).letters[message]?.held).toBe(true);
    expect(viewOf(after(letter(ann), held(), released())).letters[message]?.held).toBe(false);
  });

  it('knows which letters owe a bounce until they are cleaned up', () => {
    const owing = [letter(ann), started([ann]), failed(0, ann), settled([0])];
    expect([...after(...owing).owing]).toEqual([message]);
    expect([...after(...owing, cleanedUp()).owing]).toEqual([]);
  });

  it('has everything that waits due when all is to be retried, and nothing later than it was', () => {
    const agenda = after(letter(ann, joe, 'c@c.test'), started([ann, joe]), deferred(0, ann, 400));
    fold(agenda, { ...retryAll, at: age(9) });
    expect(rowsOf(agenda).map(({ due, status }) => [due, status])).toEqual([
      [age(9), 'waiting'],
      [birth, 'attempting'],
      [birth, 'waiting'],
    ]);
  });

  it('has no business with other streams', () => {
    const agenda = after(letter(ann));
    const before = viewOf(agenda);
    fold(agenda, { type: 'Refused', v: 1, at: age(9), data: {}, stream: 'door-smtp-2026-01-01' });
    fold(agenda, { ...retryAll, type: 'NodeStopped', at: age(9) });
    expect(viewOf(agenda)).toEqual(before);
  });

  it('hears of a letter once', () => {
    const agenda = after(letter(ann), started([ann]), letter(ann).slice(1));
    expect(rowsOf(agenda)).toHaveLength(1);
    expect(rowsOf(agenda)[0]?.status).toBe('attempting');
  });
});

describe('a lane', () => {
  it.each([
    ['a@Far.test', 'remote Far.test'],
    ['joe@here.test', 'local joe'],
    ['Joe-list-x@here.test', 'local joe'],
    ['-x@here.test', 'local '],
    ['@here.test', 'local '],
    ['"a@b"@here.test', 'local "a@b"'],
  ])('of %j is %j', (address, lane) => {
    expect(laneOf(way(address))).toBe(lane);
  });

  it.each([
    ['smart.test', 25, 'remote smart.test:25'],
    ['2001:db8::1', 26, 'remote [2001:db8::1]:26'],
  ])('of a letter by way of %s %d is the relay', (host, port, lane) => {
    const route = { ...way('a@far.test'), hop: { host: 'far.test', relay: { host, port } } };
    expect(laneOf(route)).toBe(lane);
  });
});

/** What the agenda must say of a letter in this state; its rows in the order of the envelope. */
function expected(state: QueueState) {
  const rows = state.recipients.flatMap(({ status, route, dueAt, tries }, rcpt) => {
    if (status !== 'waiting' && status !== 'attempting') return [];
    const due = status === 'waiting' ? dueAt : undefined;
    return [{ rcpt, lane: laneOf(route!), status, due, tried: tries > 0 }];
  });
  return { held: state.held, rows };
}

function compare(agenda: Agenda, states: ReadonlyMap<MessageId, QueueState>): void {
  const { letters, owing } = viewOf(agenda);
  const open = [...states].filter(([, { unfinished }]) => unfinished > 0);
  expect(Object.keys(letters).sort()).toEqual(open.map(([id]) => id).sort());
  for (const [id, state] of open) {
    const { held: isHeld, rows } = letters[id]!;
    const seen = rows.map((row) => ({
      ...row,
      due: row.status === 'waiting' ? row.due : undefined,
    }));
    expect({ held: isHeld, rows: seen }).toEqual(expected(state));
  }
  const owe = [...states].filter(([, { settledAt, done }]) => settledAt !== undefined && !done);
  expect([...owing].sort()).toEqual(owe.map(([id]) => id).sort());
}

describe('the agenda of any letters', () => {
  it('says after every event what the letters themselves say', () => {
    fc.assert(
      fc.property(walks, ({ steps, sizes }) => {
        const agenda = empty();
        play(steps, sizes, (event, states) => {
          fold(agenda, event);
          // The letter's two first events are one append.
          if (event.type !== 'MessageAccepted') compare(agenda, states);
        });
      }),
      { numRuns: 200 },
    );
  });
});
