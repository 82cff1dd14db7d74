/** The bodies of a move: of letters that are not done, each read once, checked, and durable before its event. */
import { createHash } from 'node:crypto';
import type { EventText, StreamName } from '../log/ports.ts';
import type { BodyRef } from '../mail/envelope.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import type { QueueEvent } from '../queue/events.ts';
import type { StagedBody } from '../spool/ports.ts';
import type { Side, Source, Target } from './ports.ts';

/** So many are under way at once; the large ones of them in pieces. */
const atOnce = 16;

/** A run that was killed had placed at most so many whose events it had not written. */
const mostAhead = 256;

export type Placed = ReadonlyMap<StreamName, StagedBody>;

export type BodyCount = { bodies: number; bytes: number };

/** Which bodies an event names: that of a letter which is not done. */
export function bodyOf({ type, json }: EventText): BodyRef | undefined {
  if (type !== 'MessageAccepted') return undefined;
  return (JSON.parse(json) as Extract<QueueEvent, { type: 'MessageAccepted' }>['data']).body;
}

export class BodyMover {
  readonly count: BodyCount = { bodies: 0, bytes: 0 };
  readonly #source: Source;
  readonly #target: Target;
  readonly #leaveDamaged: boolean;
  #looked = 0;

  constructor(source: Source, target: Target, leaveDamaged: boolean) {
    this.#source = source;
    this.#target = target;
    this.#leaveDamaged = leaveDamaged;
  }

  /** Places the bodies of these letters; what travels with their events is returned. */
  async place(accepted: readonly EventText[]): Promise<Placed> {
    const placed = new Map<StreamName, StagedBody>();
    await inParallel(accepted, atOnce, async (event) => {
      const staged = await this.#placeOne(event.stream, bodyOf(event)!);
      if (staged !== undefined) placed.set(event.stream, staged);
    });
    return placed;
  }

  async #placeOne(stream: StreamName, ref: BodyRef): Promise<StagedBody | undefined> {
    this.#looked += 1;
    if (this.#looked <= mostAhead && (await isWhole(this.#target, ref))) return undefined;
    try {
      const staged = await this.#target.place(ref, this.#source.body(ref));
      this.count.bodies += 1;
      this.count.bytes += ref.bytes;
      return staged;
    } catch (cause) {
      if (!isLoss(cause)) throw cause;
      // An engine that runs has finished the letter since we looked.
      if (this.#leaveDamaged || (await isDone(this.#source, stream))) return undefined;
      throw lossOf(ref, this.#source, cause);
    }
  }
}

/** Whether the target has the body of a letter that is not done. Throws when it should and does not. */
export async function checkBody(
  event: EventText,
  source: Source,
  target: Target,
  leaveDamaged: boolean,
): Promise<'there' | 'lost' | 'done'> {
  const ref = bodyOf(event)!;
  try {
    await drain(target, ref);
    return 'there';
  } catch (cause) {
    if (!isLoss(cause)) throw cause;
    if (await isDone(source, event.stream)) return 'done';
    if (leaveDamaged && !(await isWhole(source, ref))) return 'lost';
    throw lossOf(ref, target, cause);
  }
}

async function isWhole(side: Side, ref: BodyRef): Promise<boolean> {
  try {
    await drain(side, ref);
    return true;
  } catch (cause) {
    if (!isLoss(cause)) throw cause;
    return false;
  }
}

async function drain(side: Side, ref: BodyRef): Promise<void> {
  const digest = createHash('sha256');
  for await (const piece of side.body(ref)) digest.update(piece);
  if (digest.digest('hex') !== ref.sha256) {
    const detail = `body ${ref.id} is not what was stored`;
    throw new Trouble('body-damaged', { tryAgain: true, peer: 'trouble reading message', detail });
  }
}

async function isDone({ log }: Side, stream: StreamName): Promise<boolean> {
  const [last] = await log.readStream(stream, { direction: 'backwards', limit: 1 });
  return last?.type === 'MessageCleanedUp';
}

const isLoss = (cause: unknown): cause is Trouble =>
  isTrouble(cause, 'body-missing') || isTrouble(cause, 'body-damaged');

const lossOf = ({ id }: BodyRef, { name }: Side, cause: Trouble): Trouble =>
  new Trouble(cause.code, {
    ...{ tryAgain: false, peer: 'refused', cause },
    detail: `letter ${id} is not done, and its body is ${cause.code === 'body-missing' ? 'missing' : 'damaged'} in ${name} (${cause.message}). To leave such bodies behind: --leave-damaged`,
  });

/** So many at a time; after a failure no more are begun. */
export async function inParallel<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  let failed = false;
  const hand = async (): Promise<void> => {
    for (const item of left) {
      if (failed) return;
      await work(item).catch((cause: unknown) => {
        failed = true;
        throw cause;
      });
    }
  };
  const done = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, hand));
  const first = done.find(({ status }) => status === 'rejected');
  if (first?.status === 'rejected') throw first.reason;
}
