import { describe, expect, it } from '@jest/globals';
import { noStream } from '../../../src/log/ports.ts';
import { newId, newStream, noted, notedAll, notes } from '../../support/log-events.ts';
import type { Abilities, Desk } from '../event-log.ts';

export function reopening(desk: Desk, { reopens, carriesBodies }: Abilities): void {
  const itReopened = reopens ? it : it.skip;

  describe('a log opened again', () => {
    itReopened('holds what it held, and goes on where it stopped', async () => {
      const stream = newStream();
      const before = await desk.log.append(stream, noStream, notedAll('a', 'b'));
      const { log } = await desk.open.reopen!();
      expect(await log.head()).toBe(before.position);
      expect(notes(await log.readStream(stream))).toEqual(['a', 'b']);
      const after = await log.append(stream, 1, notedAll('c'));
      expect(after.revision).toBe(2);
      expect(after.position).toBeGreaterThan(before.position);
      expect(notes(await log.readAll({ after: desk.start, limit: 10 }))).toEqual(['a', 'b', 'c']);
    });

    itReopened('still knows a repeated append and a conflict', async () => {
      const stream = newStream();
      const first = await desk.log.append(stream, noStream, notedAll('a'));
      const { log } = await desk.open.reopen!();
      expect(await log.append(stream, noStream, notedAll('a'))).toEqual(first);
      await expect(log.append(stream, noStream, [noted('x')])).rejects.toMatchObject({
        code: 'revision-conflict',
      });
    });

    (carriesBodies ? itReopened : it.skip)('still has the bodies', async () => {
      const id = newId();
      const staged = await desk.open.spool!.stage(id, Buffer.from('a body'));
      await desk.log.append(`message-${id}`, noStream, notedAll('accepted'), staged);
      const { spool } = await desk.open.reopen!();
      expect(Buffer.from(await spool!.read(staged.ref)).toString()).toBe('a body');
    });
  });
}
