/**
 * Bodies on their way through: the young and small ones stay in memory, so that a letter that goes
 * straight through is never read back from the spool. Bounded in bytes; forgetting is harmless.
 */
import { createHash } from 'node:crypto';
import type { BodyRef } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import { inlineBodyBytes, type Spool } from '../spool/ports.ts';
import type { BodySource } from './ports.ts';

export interface Bodies {
  /** Remembers a body that was just accepted. */
  keep(id: string, bytes: Uint8Array): void;
  forget(id: string): void;
  /** The body as a channel wants it; small ones are read at once. */
  source(ref: BodyRef): Promise<BodySource>;
}

const pieceBytes = 256 * 1024;

export function openBodies(spool: Spool, limitBytes = 32 * 1024 * 1024): Bodies {
  const young = new Map<string, Uint8Array>();
  let bytesKept = 0;

  const forget = (id: string): void => {
    const bytes = young.get(id);
    if (bytes === undefined) return;
    young.delete(id);
    bytesKept -= bytes.byteLength;
  };
  return {
    forget,
    keep(id, bytes) {
      // A copy: the original is a window on a much larger buffer of the link.
      young.set(id, Buffer.from(bytes));
      bytesKept += bytes.byteLength;
      for (const oldest of young.keys()) {
        if (bytesKept <= limitBytes) break;
        forget(oldest);
      }
    },
    async source(ref) {
      if (ref.bytes > inlineBodyBytes) return { ref, read: () => readInPieces(spool, ref) };
      const inline = young.get(ref.id) ?? (await spool.read(ref));
      return { ref, inline, read: () => once(inline) };
    },
  };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** The digest is checked at the end: a damaged body breaks off before its last piece is taken for good. */
async function* readInPieces(spool: Spool, ref: BodyRef): AsyncIterable<Uint8Array> {
  const digest = createHash('sha256');
  for (let offset = 0; offset < ref.bytes;) {
    const piece = await spool.read(ref, offset, Math.min(pieceBytes, ref.bytes - offset));
    if (piece.byteLength === 0) break;
    offset += piece.byteLength;
    digest.update(piece);
    const isLast = offset >= ref.bytes;
    if (isLast && digest.digest('hex') !== ref.sha256) throw damaged(ref);
    yield piece;
    if (isLast) return;
  }
  if (ref.bytes > 0) throw damaged(ref);
}

const damaged = (ref: BodyRef) =>
  new Trouble('body-damaged', {
    tryAgain: true,
    peer: 'trouble reading message (#4.3.0)',
    detail: `body ${ref.id} is not what was stored`,
  });
