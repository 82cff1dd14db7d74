import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openOffice, type Office } from '../trace/office.ts';
import { checkpointed } from './checkpointed.ts';

let office: Office;
beforeEach(async () => {
  office = await openOffice();
});
afterEach(() => office.remove());

describe('a queue before the engine is killed', () => {
  it('is written down when the checkpoint has nearly all of the log', async () => {
    for (let letter = 0; letter < 10; letter += 1) await office.accept(['bob@b.test']);
    const head = await office.log.head();
    expect(await checkpointed(office.path, 0, head)).toBe(false);
    // Where there is less than is worth a checkpoint, there is nothing to wait for.
    expect(await checkpointed(office.path, 0, head + 1)).toBe(true);
    await office.writeCheckpoint(head - 5);
    expect(await checkpointed(office.path, 0, 6)).toBe(true);
    const waiting = checkpointed(office.path, 10_000, 5);
    await office.writeCheckpoint();
    expect(await waiting).toBe(true);
  });
});
