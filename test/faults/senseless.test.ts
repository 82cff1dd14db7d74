/** Events of the right shape that make no sense: nobody who folds them throws, and only their letter suffers. */
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DatabaseSync } from 'node:sqlite';
import { decodeAgenda, encodeAgenda } from '../../projections/agenda-checkpoint.ts';
import { empty, fold } from '../../projections/agenda.ts';
import { shipped } from '../../src/ask/shipped.ts';
import type { Question } from '../../src/ask/ports.ts';
import { oddityOf } from '../../src/log/event-shapes.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { isTrouble } from '../../src/mail/trouble.ts';
import { applyMark, decodeMark, encodeMark } from '../../src/past/mark.ts';
import { decide } from '../../src/queue/decider.ts';
import { evolve, initial, type QueueState } from '../../src/queue/state.ts';
import { closeAudit, foldAudit } from '../../src/trace/audit.ts';
import { emptyAudit } from '../../src/trace/audit-books.ts';
import { qreadLines } from '../../src/trace/qread.ts';
import { formatReason } from '../../src/trace/reason-words.ts';
import { foldLetter, reasonOf } from '../../src/trace/reason.ts';
import { firstDue, letterFacts } from '../../src/trace/queue-rows.ts';
import { answerOf } from '../../src/trace/search.ts';
import { SlotBook } from '../../src/trace/slot-book.ts';
import { storyTeller } from '../../src/trace/story.ts';
import { fold as foldViews, noChanges } from '../../src/views/fold.ts';
import { createViews } from '../../src/views/sqlite/schema.ts';
import { ViewWriter } from '../../src/views/sqlite/writer.ts';
import { answered, said } from '../projections/asked.ts';
import { viewOf } from '../support/agenda-view.ts';
import { birth } from '../support/queue-mail.ts';
import { asQueueEvent, idOf, play, step, toCommand, walks } from '../support/random-letters.ts';
import { senseless, spoilt } from '../support/senseless-events.ts';

/** Letters that were sound until somebody wrote into their streams; or nothing but nonsense. */
const events = fc
  .oneof(
    senseless,
    walks.chain(({ steps, sizes }) => {
      const sound = play(steps.slice(0, 25), sizes).events;
      return sound.length === 0 ? senseless : spoilt(sound);
    }),
  )
  .map((all) => all.filter((event) => oddityOf(event) === undefined));

const check = (say: (all: readonly RecordedEvent[]) => void, numRuns = 120, seed?: number): void =>
  fc.assert(fc.property(events, say), { numRuns, ...(seed === undefined ? {} : { seed }) });

const ofLetter = (all: readonly RecordedEvent[], letter: number): readonly RecordedEvent[] =>
  all.filter(({ stream }) => stream === `message-${idOf(letter)}`);

const letters = [0, 1, 2];
const questions: (readonly [string, Question])[] = await Promise.all(
  Object.entries(shipped).map(async ([name, load]) => [name, (await load()).question] as const),
);

describe('events that make no sense', () => {
  it('come often enough in these tests, and so do those that make some', () => {
    const seen = { odd: 0, sound: 0, settled: 0 };
    check(
      (all) => {
        for (const letter of letters) {
          const own = ofLetter(all, letter);
          const { odd, state } = foldLetter(own);
          seen[odd === undefined ? 'sound' : 'odd'] += own.length === 0 ? 0 : 1;
          if (state.settledAt !== undefined) seen.settled += 1;
        }
      },
      100,
      1,
    );
    expect(Math.min(seen.odd, seen.sound)).toBeGreaterThan(20);
    expect(seen.settled).toBeGreaterThan(0);
  });

  it('are refused by the state of a letter, which stays true to itself', () => {
    check((all) => {
      const state = initial();
      for (const event of ofLetter(all, 0)) {
        try {
          evolve(state, asQueueEvent(event));
        } catch (cause) {
          expect(isTrouble(cause, 'log-damaged')).toBe(true);
          expect(String(cause)).toMatch(/^Trouble: event \d+ \(\w+\) makes no sense: [ -~]+$/);
        }
      }
      expectTrue(state);
    });
  });

  it('leave nothing that a command could stumble over', () => {
    fc.assert(
      fc.property(events, fc.array(step, { maxLength: 8 }), (all, steps) => {
        for (const letter of letters) {
          const { state } = foldLetter(ofLetter(all, letter));
          for (const each of steps) {
            const command = toCommand(each, state, birth + each.pause, ['a@b.test']);
            for (const event of decide(command, state)) evolve(state, event);
            expectTrue(state);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are taken by the agenda, whose checkpoints and marks say the same', () => {
    check((all) => {
      const agenda = all.reduce(fold, empty());
      const { position, stream, revision, at } = all.at(-1) ?? nothing;
      const place = { position, stream, revision, at };
      const again = empty();
      decodeAgenda(Buffer.concat([...encodeAgenda(agenda, place)]), again);
      expect(viewOf(again)).toEqual(viewOf(agenda));
      const mark = encodeMark(agenda, { ...place, latest: at, events: all.length });
      const marked = applyMark(decodeMark(Buffer.concat([...mark.pieces]))!, empty());
      expect(viewOf(marked)).toEqual(viewOf(agenda));
      expect(firstDue(agenda, birth, 10).counts.aside).toBe(agenda.aside.size);
      expect(agenda.rows.due.some(Number.isNaN)).toBe(false);
    });
  });

  it('are taken by the views, and can be written', () => {
    check((all) => {
      const writer = new ViewWriter(emptyViews());
      const half = Math.ceil(all.length / 2);
      let written = 0;
      for (const part of [all.slice(0, half), all.slice(half)]) {
        const changes = noChanges();
        for (const event of part) foldViews(changes, event, writer.find);
        written += part.length;
        const { position, stream, revision, at } = part.at(-1) ?? nothing;
        writer.write(changes, { position, stream, revision, at }, { letters: 1, upTo: written });
      }
    }, 100);
  });

  it('can be told, explained, searched, listed and added up', () => {
    const history = { rules: new Map<string, never>(), newest: undefined };
    check((all) => {
      const audit = all.reduce(foldAudit, emptyAudit());
      closeAudit(audit);
      const story = storyTeller();
      for (const event of all) expect(story(event).text).toMatch(/^[ -~]*$/);
      for (const letter of letters) {
        const own = ofLetter(all, letter);
        letterFacts(own);
        for (const line of qreadLines(idOf(letter), own)) expect(line).toMatch(/^[ -~\t]*$/);
        answerOf(own, { status: 'held', recipient: 'a', reply: 'b' });
        const { state } = foldLetter(own);
        const situation = { message: idOf(letter), events: own, history, now: birth } as const;
        for (const rcpt of state.recipients.keys()) {
          const reason = reasonOf(rcpt, { ...situation, engineRuns: true }, state);
          for (const line of formatReason(reason, birth)) expect(line).toMatch(/^[ -~]*$/);
        }
      }
    }, 100);
  });

  it('do not confuse the book of slots', () => {
    const hop = { host: 'b.test' };
    const route = { channel: 'remote' as const, hop, address: 'a@b.test', rule: '' };
    check((all) => {
      const wait = { dueAt: birth, until: birth + 100_000, before: all.length, route, slots: 4 };
      const book = new SlotBook(wait);
      for (const event of all.filter(({ type }) => /^(Attempt|Recipient[DF])/.test(type)))
        book.hear(event);
      book.close(0);
    }, 100);
  });

  it.each(questions)('can be asked about: %s', (_, question) => {
    const options = question.options?.['id'] === undefined ? {} : { id: idOf(0) };
    check((all) => {
      if (question.answer !== undefined) answered(question, all, options);
      if (question.said !== undefined) said(question, all, options);
    }, 25);
  });
});

const nothing = { position: 0, stream: '', revision: -1, at: 0 };

const databases: DatabaseSync[] = [];
afterAll(() => databases.forEach((db) => db.close()));

function emptyViews(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  databases.push(db);
  db.exec(createViews);
  return db;
}

/** What all who decide rely on. */
function expectTrue(state: QueueState): void {
  const open = state.recipients.filter(({ status }) => isOpen(status)).length;
  expect(state.unfinished).toBe(open);
  if (state.done || state.settledAt !== undefined) expect(open).toBe(0);
  for (const { rcpts, routes } of state.open.values()) {
    expect(rcpts).toHaveLength(routes.length);
    expect(rcpts.every((rcpt) => state.recipients[rcpt] !== undefined)).toBe(true);
  }
}

const isOpen = (status: string): boolean => status === 'waiting' || status === 'attempting';
