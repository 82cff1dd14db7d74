/** What a log does besides that several engines write to: appends to several streams, and old events that go. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream, type SharedLog } from '../../src/log/ports.ts';
import { newStream, notedAll, notedMany, notes } from '../support/log-events.ts';

export type OpenShared = { readonly log: SharedLog; close(): Promise<void> };

export function sharedLogContract(name: string, open: () => Promise<OpenShared>): void {
  describe(name, () => {
    let log: SharedLog;
    let close: () => Promise<void>;
    beforeEach(async () => ({ log, close } = await open()));
    afterEach(() => close());
    const story = async (stream: string) => notes(await log.readStream(stream));

    it('says that it can append to several streams at once, and does so in the order given', async () => {
      const [one, two] = [newStream(), newStream()];
      expect(await log.canAppendTogether()).toBe(true);
      await log.append(one, noStream, notedAll('a'));
      const start = await log.head();
      const { revision, position } = await log.appendTogether([
        { stream: one, expected: 0, events: notedAll('b', 'c') },
        { stream: two, expected: noStream, events: notedAll('d') },
      ]);
      expect([revision, position]).toEqual([0, await log.head()]);
      const page = await log.readAll({ after: start, limit: 10 });
      expect(notes(page)).toEqual(['b', 'c', 'd']);
      expect(page.map((event) => [event.stream, event.revision])).toEqual([
        [one, 1],
        [one, 2],
        [two, 0],
      ]);
      // What was written so is gone on with in the usual way, and the other way round.
      await log.append(one, 2, notedAll('e'));
      await log.appendTogether([{ stream: one, expected: 3, events: notedAll('f') }]);
      expect(await story(one)).toEqual(['a', 'b', 'c', 'e', 'f']);
    });

    it.each([0, 1])('writes nothing at all where stream %i is not as expected', async (which) => {
      const streams = [newStream(), newStream()];
      await log.append(streams[which]!, noStream, notedAll('there'));
      const head = await log.head();
      const writes = streams.map((stream) => ({
        ...{ stream, expected: noStream, events: notedAll('x') },
      }));
      await expect(log.appendTogether(writes)).rejects.toMatchObject({
        ...{ code: 'revision-conflict', stream: streams[which], expected: noStream, actual: 0 },
      });
      expect(await log.head()).toBe(head);
    });

    it('writes nothing once the stream stands that must not', async () => {
      const [stream, fence] = [newStream(), newStream()];
      const append = (expected: number, note: string) =>
        log.appendTogether([{ stream, expected, events: notedAll(note) }], fence);
      await append(noStream, 'a');
      await append(0, 'b');
      await log.append(fence, noStream, notedAll('stop'));
      await expect(append(1, 'c')).rejects.toMatchObject({ code: 'fenced', tryAgain: true });
      expect(await story(stream)).toEqual(['a', 'b']);
      // Others may go on.
      await log.append(stream, 1, notedAll('d'));
      expect(await story(stream)).toEqual(['a', 'b', 'd']);
    });

    it('says yes to a repetition though the other stream came in between, and writes nothing', async () => {
      const [stream, fence] = [newStream(), newStream()];
      const write = { stream, expected: noStream, events: notedAll('a', 'b') };
      const first = await log.appendTogether([write], fence);
      await log.append(fence, noStream, notedAll('stop'));
      const head = await log.head();
      expect(await log.appendTogether([write], fence)).toEqual(first);
      expect(await log.head()).toBe(head);
    });

    it('does not take half a repetition for one', async () => {
      const [one, two] = [newStream(), newStream()];
      const write = (stream: string, note: string) => ({
        ...{ stream, expected: noStream, events: notedAll(note) },
      });
      await log.append(one, noStream, notedAll('a'));
      const half = log.appendTogether([write(one, 'a'), write(two, 'b')]);
      await expect(half).rejects.toMatchObject({ code: 'revision-conflict' });
      expect(await story(two)).toEqual([]);
    });

    it('shows the youngest events only, of a stream whose old ones may go; its numbers go on', async () => {
      const stream = newStream();
      await log.append(stream, noStream, notedMany(5));
      await log.keepYoungest(stream, 3);
      await log.keepYoungest(stream, 3);
      const revisions = async (from?: number) =>
        (await log.readStream(stream, from === undefined ? {} : { from })).map(
          ({ revision }) => revision,
        );
      expect(await revisions()).toEqual([2, 3, 4]);
      await log.append(stream, 4, notedMany(2));
      expect(await revisions()).toEqual([4, 5, 6]);
      expect(await revisions(1)).toEqual([4, 5, 6]);
      const [last] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
      expect(last!.revision).toBe(6);
      await expect(log.append(stream, 5, notedAll('x'))).rejects.toMatchObject({ actual: 6 });
    });

    it('may be told so before the stream is there', async () => {
      const stream = newStream();
      await log.keepYoungest(stream, 2);
      await log.append(stream, noStream, notedMany(3));
      expect(await log.readStream(stream)).toHaveLength(2);
    });
  });
}
