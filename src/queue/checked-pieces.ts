/** A large body, piece by piece, from wherever it can be read: never in memory at once, never taken on trust. */
import { createHash } from 'node:crypto';
import type { BodyRef } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';

/** Largest piece asked for; well below what a link carries in one answer. */
export const pieceBytes = 256 * 1024;

/** The digest is checked before the last piece is given: a damaged body breaks off and is never whole. */
export async function* checkedPieces(
  ref: BodyRef,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const digest = createHash('sha256');
  for (let offset = 0; offset < ref.bytes;) {
    const wanted = Math.min(pieceBytes, ref.bytes - offset);
    const piece = await read(offset, wanted);
    if (piece.byteLength === 0 || piece.byteLength > wanted) throw damaged(ref);
    offset += piece.byteLength;
    digest.update(piece);
    if (offset === ref.bytes && digest.digest('hex') !== ref.sha256) throw damaged(ref);
    yield piece;
  }
}

const damaged = (ref: BodyRef) =>
  new Trouble('body-damaged', {
    tryAgain: true,
    peer: 'trouble reading message (#4.3.0)',
    detail: `body ${ref.id} is not what was stored`,
  });
