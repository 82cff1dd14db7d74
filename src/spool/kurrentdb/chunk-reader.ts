/** Bodies from the event store: the whole, or the part asked for. Pieces just read are kept for the next part. */
import type { RecordedEvent } from '@kurrent/kurrentdb-client';
import type { Connection } from '../../log/kurrentdb/connection.ts';
import { collect } from '../../log/kurrentdb/pages.ts';
import { surely, type Patience } from '../../log/kurrentdb/surely.ts';
import { faultOf, toTrouble } from '../../log/kurrentdb/what-went-wrong.ts';
import type { BodyRef } from '../../mail/envelope.ts';
import { bodyTrouble } from '../checks.ts';
import { bodyStream, sealOf, type Piece } from './chunk-shape.ts';

/** The pieces of one making, and where it ends. */
type Plan = { readonly sha256: string; readonly bytes: number; readonly pieces: readonly Piece[] };

/** So many plans, and so many bytes of pieces, are kept. */
const mostPlans = 256;
const mostBytes = 16 * 1024 * 1024;
/** Pieces in one read, 6 MiB of them. */
const pageEvents = 8;

export class ChunkReader {
  readonly #connection: Connection;
  readonly #patience: Patience;
  readonly #plans = new Map<string, Plan>();
  readonly #pieces = new Map<string, Uint8Array>();
  #kept = 0;

  constructor(connection: Connection, patience: Patience) {
    this.#connection = connection;
    this.#patience = patience;
  }

  /** The bytes of the body's pieces from `offset` on; the caller compares them with what they must be. */
  async read(ref: BodyRef, offset: number, length: number): Promise<Uint8Array> {
    const { pieces, bytes } = await this.#plan(ref);
    const end = Math.min(offset + length, bytes);
    const from = pieces.findLastIndex((piece) => piece.offset <= offset);
    const wanted = pieces.filter((piece, index) => index >= from && piece.offset < end);
    if (end <= offset || from < 0) return new Uint8Array();
    const found = await this.#fetch(ref.id, wanted);
    const whole = found.length === 1 ? found[0]! : Buffer.concat(found);
    const first = wanted[0]!.offset;
    return whole.subarray(offset - first, end - first);
  }

  forget(id: string): void {
    this.#plans.delete(id);
  }

  /** Which events the body is made of: said by the last event of its making, nearly always the stream's last. */
  async #plan(ref: BodyRef): Promise<Plan> {
    const known = this.#plans.get(ref.id);
    if (known?.sha256 === ref.sha256) return known;
    for (let from: bigint | 'end' = 'end'; ;) {
      const [event] = await this.#page(ref, { fromRevision: from, direction: 'backwards' }, 1);
      if (event === undefined) break;
      const seal = sealOf(event);
      if (seal?.sha256 === ref.sha256) {
        const last = { revision: Number(event.revision), offset: seal.offset };
        this.#keep(ref.id, last.revision, event.data as Uint8Array);
        return this.#remember(ref.id, {
          ...{ sha256: seal.sha256, bytes: seal.bytes },
          pieces: [...seal.before, last],
        });
      }
      if (event.revision === 0n) break;
      from = event.revision - 1n;
    }
    throw bodyTrouble('body-damaged', `${bodyStream(ref.id)} does not hold what was stored`);
  }

  async #fetch(id: string, wanted: readonly Piece[]): Promise<readonly Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (let index = 0; index < wanted.length;) {
      const { revision } = wanted[index]!;
      const kept = this.#pieces.get(`${id}@${revision}`);
      if (kept === undefined) {
        const count = Math.min(pageEvents, wanted.length - index);
        const start = { fromRevision: BigInt(revision), direction: 'forwards' } as const;
        const page = await this.#page({ id }, start, count);
        for (const event of page) this.#keep(id, Number(event.revision), event.data as Uint8Array);
        const [event] = page;
        if (event?.revision !== BigInt(revision)) {
          throw bodyTrouble('body-damaged', `event ${revision} of ${bodyStream(id)} is not there`);
        }
        found.push(event.data as Uint8Array);
      } else {
        found.push(kept);
      }
      index += 1;
    }
    return found;
  }

  async #page(
    { id }: Pick<BodyRef, 'id'>,
    from: { fromRevision: bigint | 'end'; direction: 'forwards' | 'backwards' },
    maxCount: number,
  ): Promise<readonly RecordedEvent[]> {
    const stream = bodyStream(id);
    try {
      return await surely(this.#connection, 'a body', this.#patience, (client) =>
        collect(client.readStream(stream, { ...from, maxCount })),
      );
    } catch (cause) {
      if (['stream-not-found', 'stream-deleted'].includes(faultOf(cause))) {
        throw bodyTrouble('body-missing', `body ${id} is not in the event store`, cause);
      }
      throw toTrouble(`reading ${stream}`, cause);
    }
  }

  #remember(id: string, plan: Plan): Plan {
    this.#plans.delete(id);
    this.#plans.set(id, plan);
    if (this.#plans.size > mostPlans) this.#plans.delete(this.#plans.keys().next().value!);
    return plan;
  }

  #keep(id: string, revision: number, bytes: Uint8Array): void {
    const key = `${id}@${revision}`;
    if (this.#pieces.has(key)) return;
    this.#pieces.set(key, bytes);
    this.#kept += bytes.byteLength;
    for (const [oldest, { byteLength }] of this.#pieces) {
      if (this.#kept <= mostBytes) break;
      this.#pieces.delete(oldest);
      this.#kept -= byteLength;
    }
  }
}
