import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import {
  agendaFingerprint,
  decodeAgenda,
  encodeAgenda as encodePieces,
  readCheckpointHead,
} from '../../projections/agenda-checkpoint.ts';
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { viewOf } from '../support/agenda-view.ts';
import { birth } from '../support/queue-mail.ts';
import { play, walks, type Step } from '../support/random-letters.ts';

const foldAll = (events: readonly RecordedEvent[], agenda: Agenda = empty()): Agenda =>
  events.reduce<Agenda>(fold, agenda);

const encodeAgenda = (...parts: Parameters<typeof encodePieces>): Uint8Array =>
  Buffer.concat(encodePieces(...parts));

const last = { position: 17, stream: 'message-x', revision: 3, at: birth };

/** A few letters in all conditions: new, under way, deferred, on hold, owing a bounce. */
const someLetters = () => {
  const plain: Step = {
    ...{ letter: 0, kind: 'start', rcpts: [], verdicts: ['deferred'], back: 0, pause: 1_000 },
    flag: false,
  };
  const steps: Step[] = [
    { ...plain, letter: 1 },
    { ...plain, letter: 2 },
    { ...plain, letter: 2, kind: 'report' },
    { ...plain, letter: 3, kind: 'hold' },
    { ...plain, letter: 4 },
    { ...plain, letter: 4, kind: 'report', verdicts: ['failed'] },
  ];
  return foldAll(play(steps, [3, 2, 5, 2, 2]).events);
};

describe('a checkpoint of the agenda', () => {
  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(walks, ({ steps, sizes }) => {
        const agenda = foldAll(play(steps, sizes).events);
        const again = empty();
        expect(decodeAgenda(encodeAgenda(agenda, last), again)).toMatchObject(last);
        expect(viewOf(again)).toEqual(viewOf(agenda));
        expect([again.rows.letters, again.rows.recipients]).toEqual([
          agenda.rows.letters,
          agenda.rows.recipients,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('made anywhere in the log, and the rest folded on, comes to the same as folding all', () => {
    fc.assert(
      fc.property(walks, fc.nat(100), ({ steps, sizes }, cut) => {
        const { events } = play(steps, sizes);
        const at = cut % (events.length + 1);
        const again = empty();
        decodeAgenda(encodeAgenda(foldAll(events.slice(0, at)), last), again);
        expect(viewOf(foldAll(events.slice(at), again))).toEqual(viewOf(foldAll(events)));
      }),
      { numRuns: 300 },
    );
  });

  it('is made of letters in all conditions, or these tests would say little', () => {
    const { letters, owing } = viewOf(someLetters());
    const rows = Object.values(letters).flatMap((letter) => letter.rows);
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['waiting', 'attempting']));
    expect(Object.values(letters).some((letter) => letter.held)).toBe(true);
    expect(owing.length).toBeGreaterThan(0);
  });

  it('is read whatever memory it lies in', () => {
    const bytes = encodeAgenda(someLetters(), last);
    const shifted = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    expect(decodeAgenda(shifted, empty())).toMatchObject(last);
  });

  it('of another release is none', () => {
    const bytes = Buffer.from(encodeAgenda(someLetters(), last));
    const text = bytes.toString('latin1').replace(agendaFingerprint, 'agenda 0');
    const foreign = Buffer.from(text, 'latin1');
    foreign.writeUInt32LE(crc32(foreign.subarray(0, -4)), foreign.length - 4);
    expect(readCheckpointHead(foreign)).toBeUndefined();
    expect(decodeAgenda(foreign, empty())).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['a line that is no JSON', 'hello\n'],
    ['a line that is JSON and no head', 'null\n'],
    ['a number', '17\n'],
    ['no line end', '{}'],
    ['an empty object', '{}\n'],
  ])('is not what consists of %s', (_, text) => {
    expect(readCheckpointHead(Buffer.from(text))).toBeUndefined();
    expect(decodeAgenda(Buffer.from(text), empty())).toBeUndefined();
  });

  it('with a damaged byte anywhere is none, and leaves the agenda as it was', () => {
    const bytes = encodeAgenda(someLetters(), last);
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      const agenda = empty();
      expect([at, decodeAgenda(damaged, agenda)]).toEqual([at, undefined]);
      expect(readCheckpointHead(damaged)).toBeUndefined();
      expect(viewOf(agenda)).toEqual(viewOf(empty()));
    }
  });

  it('cut short or continued is none', () => {
    const bytes = encodeAgenda(someLetters(), last);
    for (let end = 0; end < bytes.length; end += 1) {
      expect(decodeAgenda(bytes.subarray(0, end), empty())).toBeUndefined();
    }
    expect(decodeAgenda(Buffer.concat([bytes, Buffer.from([0])]), empty())).toBeUndefined();
  });
});
