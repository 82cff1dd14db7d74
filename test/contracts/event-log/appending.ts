import { describe, expect, it } from '@jest/globals';
import { noStream, type NewEvent } from '../../../src/log/ports.ts';
import { RevisionConflict, isTrouble } from '../../../src/mail/trouble.ts';
import {
  at,
  newId,
  newStream,
  noted,
  notedAll,
  notedMany,
  notes,
} from '../../support/log-events.ts';
import type { Abilities, Desk } from '../event-log.ts';

export function appending(desk: Desk, { carriesBodies }: Abilities): void {
  const story = async (stream: string) => notes(await desk.log.readStream(stream));
  /** What became of an append: the revision reached, or the code of the trouble. */
  const outcome = (appended: Promise<{ revision: number }>): Promise<number | string> =>
    appended.then(
      ({ revision }) => revision,
      (cause: unknown) => (isTrouble(cause) ? cause.code : String(cause)),
    );

  describe('an append', () => {
    it('starts a stream that is not there yet', async () => {
      const stream = newStream();
      const { revision, position } = await desk.log.append(stream, noStream, notedAll('a', 'b'));
      expect(revision).toBe(1);
      expect(position).toBe(await desk.log.head());
      expect(await story(stream)).toEqual(['a', 'b']);
    });

    it('goes on at the exact revision', async () => {
      const stream = newStream();
      const first = await desk.log.append(stream, noStream, notedAll('a'));
      const second = await desk.log.append(stream, 0, notedAll('b', 'c'));
      expect(second.revision).toBe(2);
      expect(second.position).toBeGreaterThan(first.position);
      expect(await story(stream)).toEqual(['a', 'b', 'c']);
    });

    it.each([
      ['a new stream where one exists', noStream],
      ['a revision that has passed', 0],
      ['a revision not reached yet', 2],
      ['a revision far ahead', 1_000],
    ])('that expects %s conflicts and writes nothing', async (_, expected) => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedAll('a', 'b'));
      const head = await desk.log.head();
      const refused = desk.log.append(stream, expected, notedAll('x'));
      await expect(refused).rejects.toBeInstanceOf(RevisionConflict);
      await expect(refused).rejects.toMatchObject({ stream, expected, actual: 1, tryAgain: true });
      expect(await story(stream)).toEqual(['a', 'b']);
      expect(await desk.log.head()).toBe(head);
    });

    it.each([0, 7])('to a stream that is not there conflicts at revision %i', async (expected) => {
      const stream = newStream();
      await expect(desk.log.append(stream, expected, notedAll('x'))).rejects.toMatchObject({
        code: 'revision-conflict',
        actual: noStream,
      });
      expect(await story(stream)).toEqual([]);
    });

    it('keeps what every event says: its type, version, time and data', async () => {
      const stream = newStream();
      const events: NewEvent[] = [
        {
          type: 'LetterNoted',
          v: 1,
          at,
          data: { zero: 0, no: false, nothing: null, list: [[], {}] },
        },
        { type: 'LetterNoted', v: 2, at: at - 1_000, data: 'a text' },
        { type: 'OtherThing', v: 1, at: at + 1, data: [1.5, -2, 1e300] },
        { type: 'LetterNoted', v: 1, at: 0, data: null },
      ];
      await desk.log.append(stream, noStream, events);
      const read = await desk.log.readStream(stream);
      expect(read.map(({ type, v, at, data }) => ({ type, v, at, data }))).toEqual(events);
      expect(read.map(({ stream, revision }) => ({ stream, revision }))).toEqual(
        events.map((_, revision) => ({ stream, revision })),
      );
    });

    it.each([
      ['accents and scripts', 'Grüße, Привет, 你好, مرحبا'],
      ['letters beyond the basic plane', '😀👩‍👩‍👧‍👦𝕏'],
      ['a lone surrogate', 'a\ud800z'],
      ['control characters and NUL', 'a\u0000b\r\n\u001b[31m\u2028'],
      ['quotes and backslashes', '"\\\'`); DROP TABLE event; --'],
      ['a byte order mark', '\ufefftext'],
    ])('keeps %s', async (_, text) => {
      const stream = newStream();
      await desk.log.append(stream, noStream, [noted(text, { [text]: [text] })]);
      const [event] = await desk.log.readStream(stream);
      expect(event?.data).toEqual({ n: text, [text]: [text] });
    });

    it('holds an event of nearly a megabyte', async () => {
      const stream = newStream();
      // An older event store takes 1 MiB at once, metadata included.
      const text = 'Grüße'.repeat(145_000);
      await desk.log.append(stream, noStream, [noted(1, { text })]);
      expect((await desk.log.readStream(stream))[0]?.data).toEqual({ n: 1, text });
    });

    it('of 10,000 events is one append', async () => {
      const stream = newStream();
      const { revision } = await desk.log.append(stream, noStream, notedMany(10_000));
      expect(revision).toBe(9_999);
      expect(await story(stream)).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
    });

    it('that the log cannot hold is refused alone', async () => {
      const [good, bad] = [newStream(), newStream()];
      const circle: { self?: unknown } = {};
      circle.self = circle;
      const results = await Promise.allSettled([
        desk.log.append(good, noStream, notedAll('a')),
        desk.log.append(bad, noStream, [noted(1, { amount: 1n })]),
        desk.log.append(bad, noStream, [noted(1, circle)]),
        desk.log.append(bad, noStream, [{ ...noted(1), data: undefined }]),
        desk.log.append(bad, noStream, [{ ...noted(1), at: Number.NaN }]),
        desk.log.append(good, 0, notedAll('b')),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'rejected',
        'rejected',
        'fulfilled',
      ]);
      expect(await story(good)).toEqual(['a', 'b']);
      expect(await story(bad)).toEqual([]);
    });
  });

  describe('appends of the same turn', () => {
    it('to one stream are written in the order asked', async () => {
      const stream = newStream();
      const appended = await Promise.all(
        Array.from({ length: 50 }, (_, n) => desk.log.append(stream, n - 1, [noted(n)])),
      );
      expect(appended.map(({ revision }) => revision)).toEqual(appended.map((_, n) => n));
      expect(await story(stream)).toEqual(appended.map((_, n) => n));
    });

    it('do not suffer from one that conflicts', async () => {
      const streams = Array.from({ length: 40 }, newStream);
      await desk.log.append(streams[0]!, noStream, notedAll('already'));
      const outcomes = await Promise.all(
        streams.flatMap((stream) => [
          outcome(desk.log.append(stream, noStream, notedAll('a'))),
          outcome(desk.log.append(stream, 5, notedAll('too high'))),
          outcome(desk.log.append(stream, 0, notedAll('b', 'c'))),
          outcome(desk.log.append(stream, 0, notedAll('too low'))),
        ]),
      );
      const [first, ...others] = Array.from({ length: 40 }, (_, n) =>
        outcomes.slice(4 * n, 4 * n + 4),
      );
      const conflict = 'revision-conflict';
      expect(first).toEqual([conflict, conflict, 2, conflict]);
      for (const each of others) expect(each).toEqual([0, conflict, 2, conflict]);
      expect(await story(streams[0]!)).toEqual(['already', 'b', 'c']);
      for (const stream of streams.slice(1)) expect(await story(stream)).toEqual(['a', 'b', 'c']);
    });

    it('that want the same revision are settled in favour of the first', async () => {
      const stream = newStream();
      const outcomes = await Promise.all(
        ['a', 'b', 'c'].map((n) => outcome(desk.log.append(stream, noStream, notedAll(n)))),
      );
      expect(outcomes).toEqual([0, 'revision-conflict', 'revision-conflict']);
      expect(await story(stream)).toEqual(['a']);
    });
  });

  describe('an append repeated word for word', () => {
    it('succeeds as the first time and writes nothing', async () => {
      const stream = newStream();
      const first = await desk.log.append(stream, noStream, notedAll('a', 'b'));
      const again = await desk.log.append(stream, noStream, notedAll('a', 'b'));
      expect(again).toEqual(first);
      expect(await story(stream)).toEqual(['a', 'b']);
      expect(await desk.log.head()).toBe(first.position);
    });

    it('succeeds when the stream has gone on since', async () => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedAll('a'));
      const second = await desk.log.append(stream, 0, notedAll('b', 'c'));
      await desk.log.append(stream, 2, notedAll('d', 'e'));
      expect(await desk.log.append(stream, 0, notedAll('b', 'c'))).toEqual(second);
      expect(await story(stream)).toEqual(['a', 'b', 'c', 'd', 'e']);
    });

    it('succeeds in the same turn', async () => {
      const stream = newStream();
      const [first, again] = await Promise.all([
        desk.log.append(stream, noStream, notedAll('a', 'b')),
        desk.log.append(stream, noStream, notedAll('a', 'b')),
      ]);
      expect(again).toEqual(first);
      expect(await story(stream)).toEqual(['a', 'b']);
    });

    it.each<[string, number, NewEvent[]]>([
      ['one more event at the end', noStream, notedAll('a', 'b', 'c')],
      ['only the first event the same', noStream, notedAll('a', 'x')],
      ['another order', noStream, notedAll('b', 'a')],
      ['the same events at another revision', 0, notedAll('a', 'b')],
      ['another time', noStream, [{ ...noted('a'), at: at + 1 }, noted('b')]],
      ['another type', noStream, [{ ...noted('a'), type: 'Other' }, noted('b')]],
      ['another version', noStream, [{ ...noted('a'), v: 2 }, noted('b')]],
      ['more in the data', noStream, [noted('a', { more: 1 }), noted('b')]],
    ])('but for %s conflicts', async (_, expected, events) => {
      const stream = newStream();
      await desk.log.append(stream, noStream, notedAll('a', 'b'));
      expect(await outcome(desk.log.append(stream, expected, events))).toBe('revision-conflict');
      expect(await story(stream)).toEqual(['a', 'b']);
    });
  });

  describe('a small body', () => {
    const itWithBodies = carriesBodies ? it : it.skip;

    itWithBodies('is there once the event is that it came with', async () => {
      const spool = desk.open.spool!;
      const id = newId();
      const bytes = Buffer.from('Subject: hello\r\n\r\nworld\r\n');
      const staged = await spool.stage(id, bytes);
      expect(staged.inline).toBeDefined();
      await expect(spool.read(staged.ref)).rejects.toMatchObject({ code: 'body-missing' });
      await desk.log.append(`message-${id}`, noStream, notedAll('accepted'), staged);
      expect(Buffer.from(await spool.read(staged.ref)).equals(bytes)).toBe(true);
    });

    itWithBodies('does not come in with an append that conflicts', async () => {
      const spool = desk.open.spool!;
      const id = newId();
      await desk.log.append(`message-${id}`, noStream, notedAll('other'));
      const staged = await spool.stage(id, Buffer.from('late'));
      await expect(
        desk.log.append(`message-${id}`, noStream, notedAll('accepted'), staged),
      ).rejects.toMatchObject({ code: 'revision-conflict' });
      await expect(spool.read(staged.ref)).rejects.toMatchObject({ code: 'body-missing' });
    });

    it('comes with the first event of its letter or not at all', async () => {
      const id = newId();
      const staged = { ref: { id, bytes: 1, sha256: '' }, inline: Buffer.from('x') };
      const append = (expected: number, events: readonly NewEvent[]) =>
        desk.log.append(`message-${id}`, expected, events, staged);
      await desk.log.append(`message-${id}`, noStream, notedAll('a'));
      await expect(append(0, notedAll('b'))).rejects.toThrow(TypeError);
      await expect(append(noStream, [])).rejects.toThrow(TypeError);
      expect(await story(`message-${id}`)).toEqual(['a']);
    });
  });

  describe('a closed log', () => {
    it('takes no more events', async () => {
      await desk.log.close();
      const stream = newStream();
      expect(await outcome(desk.log.append(stream, noStream, notedAll('a')))).toBe(
        'log-unavailable',
      );
    });

    it('has written what was asked of it before', async () => {
      const appended = Array.from({ length: 20 }, (_, n) =>
        outcome(desk.log.append(newStream(), noStream, [noted(n)])),
      );
      await desk.log.close();
      expect(await Promise.all(appended)).toEqual(appended.map(() => 0));
    });

    it('may be closed twice', async () => {
      await desk.log.close();
      await expect(desk.log.close()).resolves.toBeUndefined();
    });
  });
}
