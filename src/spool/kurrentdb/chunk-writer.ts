/** A body on its way into the event store, a piece an append, one append at a time. */
import { createHash } from 'node:crypto';
import type { BinaryEventData } from '@kurrent/kurrentdb-client';
import type { Caller } from '../../log/kurrentdb/connection.ts';
import { surely, type Patience } from '../../log/kurrentdb/surely.ts';
import { faultOf, toTrouble } from '../../log/kurrentdb/what-went-wrong.ts';
import type { BodyWriter, StagedBody } from '../ports.ts';
import { bodyStream, chunkBytes, newMaking, toChunk, type Piece } from './chunk-shape.ts';

/** Bytes that all writers together hold back for their next piece. */
export type Budget = { bytes: number };

/** Beyond it pieces are sent before they are full. */
const budgetBytes = 32 * 1024 * 1024;
const smallestPiece = 64 * 1024;
/** So often somebody else may have been first at a revision. */
const mostConflicts = 20;

export type WriterParts = {
  readonly caller: Caller;
  readonly patience: Patience;
  readonly budget: Budget;
};

export function openChunks(id: string, parts: WriterParts, making = newMaking()): BodyWriter {
  const writer = new ChunkWriter(id, making, parts);
  return {
    id,
    write: (chunk) => writer.write(chunk),
    stage: () => writer.stage(),
    abandon: () => writer.abandon(),
  };
}

class ChunkWriter {
  readonly #id: string;
  readonly #making: string;
  readonly #parts: WriterParts;
  readonly #digest = createHash('sha256');
  readonly #pieces: Piece[] = [];
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #bytes = 0;
  /** Of the last event in the stream, as far as we know. */
  #revision = -1;
  #work: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(id: string, making: string, parts: WriterParts) {
    this.#id = id;
    this.#making = making;
    this.#parts = parts;
  }

  /** Resolves when there is room for more. */
  write(chunk: Uint8Array): Promise<void> {
    // A copy: whoever writes uses its buffer again.
    this.#hold(new Uint8Array(chunk));
    this.#digest.update(chunk);
    return this.#inTurn(() => this.#sendFull());
  }

  stage(): Promise<StagedBody> {
    return this.#inTurn(async () => {
      const { bytes, sha256 } = { bytes: this.#bytes, sha256: this.#digest.digest('hex') };
      const offset = bytes - this.#heldBytes;
      const seal = { sha256, bytes, before: [...this.#pieces], offset };
      const last = this.#take(this.#heldBytes);
      await this.#send(toChunk(this.#id, this.#pieces.length, this.#making, last, seal));
      this.#isOver = true;
      return { ref: { id: this.#id, bytes, sha256 } };
    });
  }

  async abandon(): Promise<void> {
    await this.#work.catch(() => undefined);
    this.#take(this.#heldBytes);
    if (this.#isOver) return;
    this.#isOver = true;
    const last = this.#pieces.at(-1)?.revision;
    // Only what is all ours; the sweep takes the rest.
    if (last === undefined || last + 1 !== this.#pieces.length) return;
    const { caller, patience } = this.#parts;
    await caller
      .call('a removal', patience.limitMs, (client) =>
        client.deleteStream(bodyStream(this.#id), { expectedRevision: BigInt(last) }),
      )
      .catch(() => undefined);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done;
    done.catch(() => undefined);
    return done;
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.byteLength;
    this.#bytes += bytes.byteLength;
    this.#parts.budget.bytes += bytes.byteLength;
  }

  #take(wanted: number): Uint8Array {
    const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    this.#held = wanted === this.#heldBytes ? [] : [all.subarray(wanted)];
    this.#heldBytes -= wanted;
    this.#parts.budget.bytes -= wanted;
    return all.subarray(0, wanted);
  }

  /** The last piece waits for the digest, so what is held is sent only when there is more. */
  async #sendFull(): Promise<void> {
    const isTight = () => this.#parts.budget.bytes > budgetBytes && this.#heldBytes > smallestPiece;
    while (this.#heldBytes > chunkBytes || isTight()) {
      const offset = this.#sent();
      const data = this.#take(Math.min(chunkBytes, this.#heldBytes - 1));
      await this.#send(toChunk(this.#id, this.#pieces.length, this.#making, data));
      this.#pieces.push({ revision: this.#revision, offset });
    }
  }

  #sent(): number {
    return this.#bytes - this.#heldBytes;
  }

  /** Where another making was faster, ours goes on behind it. */
  async #send(chunk: BinaryEventData): Promise<void> {
    const { caller, patience } = this.#parts;
    const stream = bodyStream(this.#id);
    for (let conflicts = 0; ; conflicts += 1) {
      const streamState = this.#revision < 0 ? 'no_stream' : BigInt(this.#revision);
      try {
        const { nextExpectedRevision } = await surely(caller, 'a body', patience, (client) =>
          client.appendToStream(stream, chunk, { streamState }),
        );
        this.#revision = Number(nextExpectedRevision);
        return;
      } catch (cause) {
        if (faultOf(cause) !== 'conflict' || conflicts >= mostConflicts) {
          throw toTrouble(`writing ${stream}`, cause);
        }
        const { actualState } = cause as { actualState: bigint | 'no_stream' };
        this.#revision = actualState === 'no_stream' ? -1 : Number(actualState);
      }
    }
  }
}
