/** A body as pieces that are checked; an empty one must be there, too. */
import type { BodyRef } from '../mail/envelope.ts';
import { checkedPieces } from '../queue/checked-pieces.ts';
import type { Spool } from '../spool/ports.ts';

export async function* piecesOf(
  ref: BodyRef,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): AsyncIterable<Uint8Array> {
  if (ref.bytes === 0) await read(0, 0);
  yield* checkedPieces(ref, read);
}

/** All of them as one body of its own; on disk when it resolves. What is begun and fails is thrown away. */
export async function putDown(
  spool: Spool,
  id: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const writer = await spool.open(id);
  try {
    for await (const piece of pieces) await writer.write(piece);
  } catch (cause) {
    await writer.abandon();
    throw cause;
  }
  await writer.stage();
}
