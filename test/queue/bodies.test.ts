import { describe, expect, it } from '@jest/globals';
import { openBodies } from '../../src/queue/bodies.ts';
import { joinBodies } from '../../src/queue/child-body.ts';
import type { BodySource } from '../../src/queue/ports.ts';
import { inlineBodyBytes, type Spool } from '../../src/spool/ports.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { idOf } from '../support/random-letters.ts';

/** A spool that counts what is read from it. */
function counted() {
  const stored = new Map<string, Uint8Array>();
  const inner = memorySpool(stored);
  const reads: string[] = [];
  const spool: Spool = {
    ...inner,
    read: (ref, offset, length) => {
      reads.push(`${offset ?? 'all'} ${length ?? ''}`.trim());
      return inner.read(ref, offset, length);
    },
  };
  const store = async (no: number, text: string) => {
    const { ref, inline } = await inner.stage(idOf(no), Buffer.from(text));
    if (inline !== undefined) stored.set(ref.id, inline);
    return ref;
  };
  return { spool, stored, reads, store };
}

async function textOf(source: BodySource): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source.read()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('a young body', () => {
  it('is not read back from the spool, until it is forgotten', async () => {
    const { spool, reads, store } = counted();
    const ref = await store(1, 'hello');
    const bodies = openBodies(spool);
    bodies.keep(ref, Buffer.from('hello'));
    expect(await textOf(await bodies.source(ref))).toBe('hello');
    expect(reads).toEqual([]);
    bodies.forget(ref.id);
    bodies.forget(ref.id);
    expect(await textOf(await bodies.source(ref))).toBe('hello');
    expect(reads).toHaveLength(1);
  });

  it('is a copy, whatever becomes of the buffer it came in', async () => {
    const { spool, store } = counted();
    const ref = await store(1, 'hello');
    const bodies = openBodies(spool);
    const buffer = Buffer.from('hello');
    bodies.keep(ref, buffer);
    buffer.fill('x');
    expect(await textOf(await bodies.source(ref))).toBe('hello');
  });

  it('is never another than the log says', async () => {
    const { spool, store } = counted();
    const ref = await store(1, 'hello');
    const bodies = openBodies(spool);
    bodies.keep({ ...ref, sha256: '00' }, Buffer.from('other'));
    expect(await textOf(await bodies.source(ref))).toBe('hello');
  });

  it('keeps its place from younger ones, however often it is kept', async () => {
    const { spool, reads, store } = counted();
    const bodies = openBodies(spool, 25);
    const refs = await Promise.all([1, 2, 3].map((no) => store(no, `0123456789`)));
    for (let round = 0; round < 9; round += 1) bodies.keep(refs[0]!, Buffer.from('0123456789'));
    bodies.keep(refs[1]!, Buffer.from('0123456789'));
    await bodies.source(refs[0]!);
    await bodies.source(refs[1]!);
    expect(reads).toHaveLength(0);
    bodies.keep(refs[2]!, Buffer.from('0123456789'));
    await bodies.source(refs[0]!);
    expect(reads).toHaveLength(0);
    await bodies.source(refs[2]!);
    expect(reads).toHaveLength(1);
    bodies.forget(refs[0]!.id);
    bodies.keep(refs[2]!, Buffer.from('0123456789'));
    await bodies.source(refs[2]!);
    expect(reads).toHaveLength(1);
  });
});

describe('a body in the spool', () => {
  it('that is small is at hand at once, and may be read again', async () => {
    const { spool, store } = counted();
    const source = await openBodies(spool).source(await store(1, 'hello'));
    expect(Buffer.from(source.inline!).toString()).toBe('hello');
    expect([await textOf(source), await textOf(source)]).toEqual(['hello', 'hello']);
  });

  it('that is empty is that', async () => {
    const { spool, store } = counted();
    expect(await textOf(await openBodies(spool).source(await store(1, '')))).toBe('');
  });

  const large = 'x'.repeat(300_000) + 'y'.repeat(300_000);

  it('that is large is read in pieces, and may be read again', async () => {
    const { spool, reads, store } = counted();
    const source = await openBodies(spool).source(await store(1, large));
    expect(source.inline).toBeUndefined();
    expect(await textOf(source)).toBe(large);
    expect(reads).toEqual(['0 262144', '262144 262144', '524288 75712']);
    expect(await textOf(source)).toBe(large);
  });

  it.each([
    ['changed', large.replace('y', 'z'), 'body-damaged'],
    ['cut short', large.slice(0, 400_000), 'body-damaged'],
    ['gone', undefined, 'body-missing'],
  ])('that is %s never comes out whole', async (_, now, code) => {
    const { spool, stored, store } = counted();
    const ref = await store(1, large);
    if (now === undefined) stored.clear();
    else stored.set(ref.id, Buffer.from(now));
    const source = await openBodies(spool).source(ref);
    let got = 0;
    const read = async () => {
      for await (const piece of source.read()) got += piece.byteLength;
    };
    await expect(read()).rejects.toMatchObject({ code, tryAgain: true });
    expect(got).toBeLessThan(large.length);
  });

  it('that is small and gone is a trouble at once', async () => {
    const { spool, stored, store } = counted();
    const ref = await store(1, 'hello');
    stored.clear();
    await expect(openBodies(spool).source(ref)).rejects.toMatchObject({ code: 'body-missing' });
  });
});

describe('a body with lines of ours in front', () => {
  it('is staged in memory while it is small', async () => {
    const { spool, store } = counted();
    const rest = await openBodies(spool).source(await store(1, 'hello\r\n'));
    const { ref, inline } = await joinBodies(spool, idOf(2), 'Delivered-To: ü\r\n', rest);
    expect(Buffer.from(inline!).toString()).toBe('Delivered-To: ü\r\nhello\r\n');
    expect(ref).toMatchObject({ id: idOf(2), bytes: 25 });
  });

  it('is written piece by piece when it is large, just so', async () => {
    const { spool, stored, store } = counted();
    const rest = await openBodies(spool).source(await store(1, 'x'.repeat(inlineBodyBytes)));
    const { ref, inline } = await joinBodies(spool, idOf(2), 'Head: 1\r\n', rest);
    expect([inline, ref.bytes]).toEqual([undefined, inlineBodyBytes + 9]);
    expect(Buffer.from(stored.get(idOf(2))!).toString()).toBe(
      `Head: 1\r\n${'x'.repeat(inlineBodyBytes)}`,
    );
  });

  it('leaves nothing behind when the rest cannot be read', async () => {
    const { spool, stored, store } = counted();
    const ref = await store(1, 'x'.repeat(100_000));
    const rest = await openBodies(spool).source(ref);
    stored.clear();
    await expect(joinBodies(spool, idOf(2), 'Head: 1\r\n', rest)).rejects.toMatchObject({
      code: 'body-missing',
    });
    expect([...stored.keys()]).toEqual([]);
  });
});
