/**
 * Answers to one `Read`: a page, or a subscription that first catches up and then follows. Over any source
 * of events; written to the client no faster than it takes them.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import {
  caughtUp,
  checkpoint,
  confirmation,
  eventAnswer,
  firstOfStream,
  lastOfStream,
  streamNotFound,
  type WireEvent,
} from './answers.ts';
import type { ReadReq, ReadResp } from './messages.ts';
import { toQuestion, type Question } from './question.ts';
import { invalidPosition, streamDeleted } from './refusals.ts';

/** Which revisions of a stream can be read: all between, both included. */
export type Bounds = { readonly first: number; readonly last: number };

export interface EventSource {
  /** `undefined`: there is no such stream, or it was deleted and may come again. */
  bounds(stream: string): Promise<Bounds | 'tombstoned' | undefined>;
  /** Events of a stream from that revision on, included, forwards or backwards; at most `limit`. */
  streamPage(
    stream: string,
    from: number,
    backwards: boolean,
    limit: number,
  ): Promise<readonly WireEvent[]>;
  /** Forwards: events at or after that position. Backwards: events before it. */
  page(from: number, backwards: boolean, limit: number): Promise<readonly WireEvent[]>;
  /** Whether one may read from there. */
  isPosition(position: number): boolean;
  /** Position of the last event; 0 when there is none. */
  head(): Promise<number>;
  /** Calls whenever there are new events, until told to stop. */
  onMoved(listener: () => void): () => void;
}

const pageEvents = 500;

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** Serves the call to its end; throws `Refusal`. */
export async function serveRead(call: ReadCall, source: EventSource): Promise<void> {
  const question = toQuestion(call.request);
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  for await (const answer of answersTo(question, source, gone.signal)) {
    if (gone.signal.aborted) return;
    if (!call.write(answer)) {
      await once(call, 'drain', { signal: gone.signal }).catch(() => undefined);
    }
  }
  call.end();
}

export function answersTo(
  question: Question,
  source: EventSource,
  gone: AbortSignal,
): AsyncGenerator<ReadResp> {
  const { stream, count } = question;
  if (count === undefined) return subscription(question, source, gone);
  return stream === undefined
    ? readLog(question, source, count, gone)
    : readStream(question, source, stream, count);
}

async function* readStream(
  { from, backwards, uuids, compatibility }: Question,
  source: EventSource,
  stream: string,
  count: number,
): AsyncGenerator<ReadResp> {
  const bounds = await source.bounds(stream);
  if (bounds === 'tombstoned') throw streamDeleted(stream);
  if (bounds === undefined) {
    yield streamNotFound(stream);
    return;
  }
  const { first, last } = bounds;
  let next = backwards
    ? Math.min(from === 'end' ? last : from === 'start' ? 0 : from, last)
    : Math.max(from === 'start' ? 0 : from === 'end' ? last + 1 : from, first);
  let sent = 0;
  while (sent < count && next >= first && next <= last) {
    const page = await source.streamPage(
      stream,
      next,
      backwards,
      Math.min(pageEvents, count - sent),
    );
    if (page.length === 0) break;
    for (const event of page) yield eventAnswer(event, uuids);
    sent += page.length;
    next = page.at(-1)!.revision + (backwards ? -1 : 1);
  }
  // Who asks in the old way does not know these two, and may not survive them.
  if (compatibility === 0) return;
  if (sent === 0 && !backwards && first > 0) yield firstOfStream(first);
  yield lastOfStream(last);
}

async function* readLog(
  { from, backwards, filter, uuids }: Question,
  source: EventSource,
  count: number,
  gone: AbortSignal,
): AsyncGenerator<ReadResp> {
  let next = await startOf(from, backwards, source);
  // A filter that lets nothing through says nothing on the way, and nobody may be waiting any more.
  for (let sent = 0; sent < count && !gone.aborted;) {
    const page = await source.page(next, backwards, pageEvents);
    const wanted = filter?.wanted(page);
    for (const event of page) {
      if (wanted?.has(event) === false) continue;
      yield eventAnswer(event, uuids);
      if ((sent += 1) >= count) return;
    }
    if (page.length < pageEvents) return;
    next = page.at(-1)!.position + (backwards ? 0 : 1);
  }
}

async function startOf(
  from: Question['from'],
  backwards: boolean,
  source: EventSource,
): Promise<number> {
  if (from === 'start') return 0;
  if (from === 'end') return backwards ? Number.MAX_SAFE_INTEGER : (await source.head()) + 1;
  if (!source.isPosition(from)) throw invalidPosition();
  return from;
}

async function* subscription(
  question: Question,
  source: EventSource,
  gone: AbortSignal,
): AsyncGenerator<ReadResp> {
  let rung = false;
  let wake = () => undefined as void;
  const ring = (): void => {
    rung = true;
    wake();
  };
  const leave = source.onMoved(ring);
  gone.addEventListener('abort', ring);
  try {
    const follow = await follower(question, source);
    yield confirmation(randomUUID());
    for (let live = false; !gone.aborted;) {
      rung = false;
      const { answers, isEnd } = await follow.next();
      yield* answers;
      if (!isEnd) live = false;
      else if (!live) {
        live = true;
        yield* follow.arrive();
      }
      if (isEnd && !rung && !gone.aborted) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    leave();
  }
}

interface Follower {
  next(): Promise<{ readonly answers: readonly ReadResp[]; readonly isEnd: boolean }>;
  /** What is said when the end of the log has been reached. */
  arrive(): readonly ReadResp[];
}

const follower = (question: Question, source: EventSource): Promise<Follower> =>
  question.stream === undefined
    ? logFollower(question, source)
    : streamFollower(question, source, question.stream);

async function logFollower(
  { from, filter, uuids }: Question,
  source: EventSource,
): Promise<Follower> {
  if (typeof from === 'number' && !source.isPosition(from)) throw invalidPosition();
  let position = from === 'start' ? 0 : from === 'end' ? await source.head() : from;
  let considered = 0;
  return {
    async next() {
      const page = await source.page(position + 1, false, pageEvents);
      const answers: ReadResp[] = [];
      const wanted = filter?.wanted(page);
      for (const event of page) {
        position = event.position;
        considered += 1;
        if (wanted?.has(event) !== false) answers.push(eventAnswer(event, uuids));
        if (filter === undefined || considered < filter.checkpointEvery) continue;
        considered = 0;
        answers.push(checkpoint(position));
      }
      return { answers, isEnd: page.length < pageEvents };
    },
    arrive: () => [
      ...(filter === undefined || position === 0 ? [] : [checkpoint(position)]),
      caughtUp({ position }),
    ],
  };
}

async function streamFollower(
  { from, uuids }: Question,
  source: EventSource,
  stream: string,
): Promise<Follower> {
  const bounds = await source.bounds(stream);
  if (bounds === 'tombstoned') throw streamDeleted(stream);
  let revision = from === 'start' ? -1 : from === 'end' ? (bounds?.last ?? -1) : from;
  return {
    async next() {
      const now = await source.bounds(stream);
      if (now === 'tombstoned') throw streamDeleted(stream);
      if (now === undefined || now.last <= revision) return { answers: [], isEnd: true };
      const start = Math.max(revision + 1, now.first);
      const page = await source.streamPage(stream, start, false, pageEvents);
      revision = page.at(-1)?.revision ?? revision;
      return {
        answers: page.map((event) => eventAnswer(event, uuids)),
        isEnd: page.length < pageEvents,
      };
    },
    arrive: () => [caughtUp({ revision })],
  };
}
