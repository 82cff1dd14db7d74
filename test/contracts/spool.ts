/**
 * What every spool does, told through the port alone. `commit` stands for the append that a staged
 * body travels with: after it, and not before, an inline body is there.
 */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { BodyRef } from '../../src/mail/envelope.ts';
import { inlineBodyBytes, type Spool, type StagedBody } from '../../src/spool/ports.ts';
import { newId } from '../support/log-events.ts';

export type OpenSpool = {
  readonly spool: Spool;
  /** Appends the event that names the body. */
  commit(staged: StagedBody): Promise<void>;
  /** Changes one byte of a body that is in the spool, behind its back; absent where nobody can. */
  damage?(ref: BodyRef): Promise<void>;
  close(): Promise<void>;
};

export type SpoolAbilities = {
  /** Nobody can damage what lies there. */
  readonly isOutOfReach?: boolean;
  /** Of each test; default: jest's own. */
  readonly timeLimitMs?: number | undefined;
};

const pattern = (bytes: number): Buffer => {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 1) body[at] = (at * 31 + (at >> 8)) & 0xff;
  return body;
};
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

export function spoolContract(
  name: string,
  openSpool: () => Promise<OpenSpool>,
  { isOutOfReach = false, timeLimitMs }: SpoolAbilities = {},
): void {
  describe(name, () => {
    // For the tests of this file from here on.
    if (timeLimitMs !== undefined) jest.setTimeout(timeLimitMs);
    let open: OpenSpool;
    let spool: Spool;
    beforeEach(async () => {
      open = await openSpool();
      spool = open.spool;
    });
    afterEach(() => open.close());

    /** A body that has come all the way in. */
    const keep = async (bytes: Uint8Array): Promise<BodyRef> => {
      const staged = await spool.stage(newId(), bytes);
      await open.commit(staged);
      return staged.ref;
    };
    const writeInChunks = async (bytes: Uint8Array, chunkBytes: number): Promise<StagedBody> => {
      const writer = await spool.open(newId());
      for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
        await writer.write(bytes.subarray(at, at + chunkBytes));
      }
      return writer.stage();
    };

    const sizes = [
      ['an empty body', 0],
      ['a body of one byte', 1],
      ['the largest inline body', inlineBodyBytes],
      ['the smallest body with a file of its own', inlineBodyBytes + 1],
      ['a body of a megabyte and a bit', 1_048_577],
    ] as const;

    it.each(sizes)('gives back %s as it was', async (_, bytes) => {
      const body = pattern(bytes);
      const id = newId();
      const staged = await spool.stage(id, body);
      expect(staged.ref).toEqual({ id, bytes, sha256: sha256(body) });
      expect(staged.inline !== undefined).toBe(bytes <= inlineBodyBytes);
      await open.commit(staged);
      expect(same(await spool.read(staged.ref), body)).toBe(true);
    });

    it.each(sizes)('takes %s in pieces', async (_, bytes) => {
      const body = pattern(bytes);
      const staged = await writeInChunks(body, 4_097);
      expect(staged.ref).toMatchObject({ bytes, sha256: sha256(body) });
      await open.commit(staged);
      expect(same(await spool.read(staged.ref), body)).toBe(true);
    });

    it('takes any pieces in any sizes, and gives any part of them', async () => {
      const pieces = fc.array(fc.uint8Array({ maxLength: 40_000, size: 'max' }), { maxLength: 6 });
      const part = fc.record({ offset: fc.nat(130_000), length: fc.nat(130_000) });
      await fc.assert(
        fc.asyncProperty(pieces, part, async (chunks, { offset, length }) => {
          const writer = await spool.open(newId());
          for (const chunk of chunks) await writer.write(chunk);
          const staged = await writer.stage();
          await open.commit(staged);
          const whole = Buffer.concat(chunks);
          expect(same(await spool.read(staged.ref), whole)).toBe(true);
          const read = await spool.read(staged.ref, offset, length);
          expect(same(read, whole.subarray(offset, offset + length))).toBe(true);
        }),
        { numRuns: 30 },
      );
    });

    it('keeps the order of pieces that are not waited for', async () => {
      const body = pattern(300_000);
      const writer = await spool.open(newId());
      const writes: Promise<void>[] = [];
      for (let at = 0; at < body.byteLength; at += 10_000) {
        writes.push(writer.write(body.subarray(at, at + 10_000)));
      }
      await Promise.all(writes);
      const staged = await writer.stage();
      await open.commit(staged);
      expect(same(await spool.read(staged.ref), body)).toBe(true);
    });

    it('does not mind when the writer uses its buffer again', async () => {
      const buffer = Buffer.alloc(50_000);
      const writer = await spool.open(newId());
      for (const letter of ['a', 'b', 'c']) await writer.write(buffer.fill(letter));
      const staged = await writer.stage();
      buffer.fill('x');
      await open.commit(staged);
      expect((await spool.read(staged.ref, 49_999, 2)).toString()).toBe(
        Buffer.from('ab').toString(),
      );
    });

    it.each([
      ['from the start', 0, 10, 0, 10],
      ['from the middle', 30_000, 100, 30_000, 30_100],
      ['up to the end', 60_000, 10_000, 60_000, -1],
      ['of nothing', 5, 0, 5, 5],
      ['at the end', -1, 10, -1, -1],
      ['beyond the end', 1_000_000, 10, -1, -1],
    ])('reads a part %s', async (_, offset, length, from, to) => {
      for (const bytes of [65_000, 200_000]) {
        const body = pattern(bytes);
        const ref = await keep(body);
        const place = (at: number) => (at < 0 || at > bytes ? bytes : at);
        const end = to < 0 ? Math.min(place(offset) + length, bytes) : to;
        const read = await spool.read(ref, place(offset), length);
        expect(same(read, body.subarray(place(from), end))).toBe(true);
      }
    });

    it('reads from an offset to the end when no length is said', async () => {
      for (const bytes of [65_000, 200_000]) {
        const body = pattern(bytes);
        expect(same(await spool.read(await keep(body), 60_000), body.subarray(60_000))).toBe(true);
      }
    });

    it('has no inline body before its event', async () => {
      const staged = await spool.stage(newId(), pattern(100));
      await expect(spool.read(staged.ref)).rejects.toMatchObject({ code: 'body-missing' });
    });

    it('keeps nothing of a body that is abandoned', async () => {
      const writer = await spool.open(newId());
      await writer.write(pattern(100_000));
      await writer.abandon();
      await writer.abandon();
      const ref = { id: writer.id, bytes: 100_000, sha256: sha256(pattern(100_000)) };
      await expect(spool.read(ref)).rejects.toMatchObject({ code: 'body-missing' });
    });

    it('keeps a body that is abandoned after it was staged', async () => {
      const writer = await spool.open(newId());
      await writer.write(pattern(100_000));
      const staged = await writer.stage();
      await writer.abandon();
      await open.commit(staged);
      expect((await spool.read(staged.ref)).byteLength).toBe(100_000);
    });

    it('lets the same letter be made again while a first making lies unfinished', async () => {
      const id = newId();
      const first = await spool.open(id);
      await first.write(pattern(100_000));
      const second = await spool.open(id);
      await second.write(pattern(100_000));
      const staged = await second.stage();
      await first.abandon();
      await open.commit(staged);
      expect(same(await spool.read(staged.ref), pattern(100_000))).toBe(true);
    });

    const itWithinReach = isOutOfReach ? it.skip : it;
    itWithinReach.each([100, 200_000])('notices a changed byte among %i', async (bytes) => {
      const ref = await keep(pattern(bytes));
      await open.damage!(ref);
      await expect(spool.read(ref)).rejects.toMatchObject({ code: 'body-damaged', tryAgain: true });
      await expect(spool.read(ref, 0, bytes + 1)).rejects.toMatchObject({ code: 'body-damaged' });
    });

    it.each([100, 200_000])(
      'notices that a body of %i bytes is not the one meant',
      async (bytes) => {
        const ref = await keep(pattern(bytes));
        const other = { ...ref, sha256: sha256(Buffer.from('other')) };
        await expect(spool.read(other)).rejects.toMatchObject({ code: 'body-damaged' });
      },
    );

    it.each([100, 200_000])(
      'misses the end of a body that is cut after %i bytes',
      async (bytes) => {
        const ref = await keep(pattern(bytes));
        const longer = { ...ref, bytes: bytes + 5 };
        await expect(spool.read(longer)).rejects.toMatchObject({ code: 'body-damaged' });
        await expect(spool.read(longer, bytes - 5, 10)).rejects.toMatchObject({
          code: 'body-damaged',
        });
        expect((await spool.read(longer, bytes - 5, 5)).byteLength).toBe(5);
      },
    );

    it('says so when a body is not there', async () => {
      for (const bytes of [10, 100_000]) {
        const ref = { id: newId(), bytes, sha256: '' };
        await expect(spool.read(ref)).rejects.toMatchObject({
          code: 'body-missing',
          tryAgain: true,
        });
      }
    });

    it('removes bodies, small and large, and ignores those it does not know', async () => {
      const gone = [await keep(pattern(10)), await keep(pattern(100_000))];
      const kept = [await keep(pattern(10)), await keep(pattern(100_000))];
      await spool.remove([...gone.map(({ id }) => id), newId()]);
      await spool.remove(gone.map(({ id }) => id));
      await spool.remove([]);
      for (const ref of gone) {
        await expect(spool.read(ref)).rejects.toMatchObject({ code: 'body-missing' });
      }
      for (const ref of kept) expect((await spool.read(ref)).byteLength).toBe(ref.bytes);
    });

    it.each([
      '',
      '.',
      '..',
      '../../../etc/passwd',
      'a/b',
      'a\0b',
      '-'.repeat(36),
      '0'.repeat(36),
      '0198C0DE-0000-7000-8000-000000000000',
      '0198c0de-0000-7000-8000-000000000000\n',
    ])('refuses the odd id %j', async (id) => {
      const odd = expect.objectContaining({ code: 'refused' });
      await expect(spool.stage(id, pattern(10))).rejects.toEqual(odd);
      await expect(spool.stage(id, pattern(100_000))).rejects.toEqual(odd);
      await expect(spool.open(id)).rejects.toEqual(odd);
      await expect(spool.read({ id, bytes: 10, sha256: '' })).rejects.toEqual(odd);
      await expect(spool.remove([id])).rejects.toEqual(odd);
    });
  });
}
