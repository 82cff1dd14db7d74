/**
 * Batches and results as two threads hand them to each other: flat arrays, which cost a fraction of
 * objects to copy, and all bodies in one buffer, which is passed on without a copy.
 */
import { RevisionConflict, Trouble, type TroubleCode } from '../../mail/trouble.ts';
import type { BatchResult, WriteRequest, Written } from './writer.ts';

type Flat = readonly (string | number | undefined)[];

export type BatchParcel = { readonly flat: Flat; readonly bodies: Uint8Array<ArrayBuffer> };

export function packBatch(batch: readonly WriteRequest[]): BatchParcel {
  const flat: (string | number | undefined)[] = [];
  let size = 0;
  for (const { stream, expected, events, texts, content } of batch) {
    flat.push(stream, expected, content?.byteLength, events.length);
    events.forEach(({ type, v, at }, index) => flat.push(type, v, at, texts[index]));
    size += content?.byteLength ?? 0;
  }
  // Of its own, not from node's pool: a pool cannot change hands.
  const bodies = new Uint8Array(size);
  let at = 0;
  for (const { content } of batch) {
    if (content === undefined) continue;
    bodies.set(content, at);
    at += content.byteLength;
  }
  return { flat, bodies };
}

export function unpackBatch({ flat, bodies }: BatchParcel): WriteRequest[] {
  const batch: WriteRequest[] = [];
  let next = 0;
  let from = 0;
  const take = <T>(): T => flat[next++] as T;
  while (next < flat.length) {
    const stream = take<string>();
    const expected = take<number>();
    const size = take<number | undefined>();
    const count = take<number>();
    const events: WriteRequest['events'][number][] = [];
    const texts: string[] = [];
    for (let index = 0; index < count; index += 1) {
      events.push({ type: take<string>(), v: take<number>(), at: take<number>() });
      texts.push(take<string>());
    }
    const content = size === undefined ? undefined : bodies.subarray(from, (from += size));
    batch.push({ stream, expected, events, texts, content });
  }
  return batch;
}

/** A trouble without its class, which does not survive the way. */
export type TroubleParcel = {
  readonly code: TroubleCode;
  readonly tryAgain: boolean;
  readonly peer: string;
  readonly detail: string;
  readonly conflict?: readonly [stream: string, expected: number, actual: number];
};

export type ResultParcel = {
  /** Three numbers an answer; in place of the first (`isNew` as 0 or 1) -1 for a trouble, whose number follows. */
  readonly flat: readonly number[];
  readonly troubles: readonly TroubleParcel[];
  readonly head: number | undefined;
  readonly broken: TroubleParcel | undefined;
};

export function packResult({ answers, head, broken }: BatchResult): ResultParcel {
  const flat: number[] = [];
  const troubles: TroubleParcel[] = [];
  const numbers = new Map<Trouble, number>();
  for (const answer of answers) {
    if (!(answer instanceof Trouble)) {
      flat.push(answer.isNew ? 1 : 0, answer.revision, answer.position);
      continue;
    }
    // A batch that failed has one trouble for all.
    if (!numbers.has(answer)) numbers.set(answer, troubles.push(packTrouble(answer)) - 1);
    flat.push(-1, numbers.get(answer)!, 0);
  }
  return { flat, troubles, head, broken: broken && packTrouble(broken) };
}

export function unpackResult({ flat, troubles, head, broken }: ResultParcel): BatchResult {
  const unpacked = troubles.map(unpackTrouble);
  const answers: (Written | Trouble)[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const isNew = flat[at]!;
    answers.push(
      isNew < 0
        ? unpacked[flat[at + 1]!]!
        : { isNew: isNew === 1, revision: flat[at + 1]!, position: flat[at + 2]! },
    );
  }
  return { answers, head, broken: broken && unpackTrouble(broken) };
}

export function packTrouble(trouble: Trouble): TroubleParcel {
  const { code, tryAgain, peer, message: detail } = trouble;
  if (!(trouble instanceof RevisionConflict)) return { code, tryAgain, peer, detail };
  const { stream, expected, actual } = trouble;
  return { code, tryAgain, peer, detail, conflict: [stream, expected, actual] };
}

export function unpackTrouble({ code, conflict, ...parts }: TroubleParcel): Trouble {
  return conflict === undefined ? new Trouble(code, parts) : new RevisionConflict(...conflict);
}
