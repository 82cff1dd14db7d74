/** How the stand-in answers reads: from its store, in the server's words, and broken off where a test wants that. */
import { status } from '@grpc/grpc-js';
import type { ReadResp } from '../../../src/gateway/messages.ts';
import type { Bounds, EventSource, ReadCall } from '../../../src/gateway/read.ts';
import { Refusal } from '../../../src/gateway/refusals.ts';
import type { Faults } from './faults.ts';
import type { Store } from './store.ts';

/** For a page with a filter a real server has no status of its own when its position is none. */
export function inItsWords(cause: unknown, call: ReadCall): unknown {
  const options = call.request.getOptions()!;
  const isInvalid = cause instanceof Refusal && cause.details.includes('invalid position');
  if (!isInvalid || !options.hasFilter() || !options.hasCount()) return cause;
  const words = 'Unexpected FilteredReadAllResult: InvalidPosition >> Log record at actual pos';
  return new Refusal(status.UNKNOWN, words);
}

/** The call fails after its first answers. */
export function breakOff(call: ReadCall): void {
  const write = call.write.bind(call);
  let left = 3;
  const given: typeof call.write = (answer: ReadResp) => {
    left -= 1;
    if (left < 0) throw new Refusal(status.UNAVAILABLE, 'broken on purpose');
    return write(answer);
  };
  call.write = given;
}

/** The store as `Read` is served from it. */
export function sourceOf(store: Store, faults: Faults): EventSource {
  const bounds = (stream: string): Bounds | 'tombstoned' | undefined => {
    const kept = store.stream(stream);
    if (kept?.isTombstoned === true) return 'tombstoned';
    if (kept === undefined || kept.isDeleted || kept.events.length === 0) return undefined;
    return { first: kept.first, last: kept.events.length - 1 };
  };
  return {
    bounds: async (stream) => bounds(stream),
    async streamPage(stream, from, backwards, limit) {
      const { events = [], first = 0 } = store.stream(stream) ?? {};
      return backwards
        ? events.slice(Math.max(first, from + 1 - limit), from + 1).reverse()
        : events.slice(from, from + limit);
    },
    page: async (from, backwards, limit) => store.page(from, backwards, limit),
    isPosition: (position) => store.isPosition(position),
    head: async () => store.head(),
    onMoved: (listener) => store.onMoved(() => faults.mute || listener()),
  };
}
