import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { slotWords } from '../../src/trace/slot-words.ts';
import { slotWait, type Waited } from '../../src/trace/slot-wait.ts';
import { age, deferred, delivered, started, way } from '../support/queue-mail.ts';
import { idEnding, ofLetter, recorded, type Told } from './recorded.ts';

const far = 'ann@far.test';

/** An attempt of a letter of its own, from one second of age to another; without an end it is still under way. */
function attempt(letter: number, to: string, from: number, end?: number): [number, Told][] {
  const id = idEnding(letter.toString(16).padStart(4, '0'));
  const tell = (event: QueueEvent): Told => ofLetter([event], id)[0]!;
  const begin: [number, Told] = [from, tell(started([to], { at: from }))];
  return end === undefined
    ? [begin]
    : [begin, [end, tell(delivered(0, to, { startedAt: from, at: end }))]];
}

/** The log of these, in order of time. */
const logOf = (...told: [number, Told][]): RecordedEvent[] =>
  recorded(...[...told].sort(([a], [b]) => a - b).map(([, event]) => event));

function waitIn(events: readonly RecordedEvent[], more: Partial<Waited> = {}) {
  const readAll = async ({ after = Infinity, limit }: { after?: number; limit: number }) =>
    events
      .filter(({ position }) => position < after)
      .reverse()
      .slice(0, limit);
  const waited = { dueAt: age(10), until: age(20), before: events.length + 1, slots: 3 };
  return slotWait({ readAll }, { ...waited, route: way(far), ...more });
}

describe('what an attempt waited for', () => {
  it('is a slot, while all are taken', async () => {
    const busy = [1, 2, 3].flatMap((n) => attempt(n, `joe@h${n}.test`, n, 14 + n));
    const wait = await waitIn(logOf(...busy));
    expect(wait).toMatchObject({
      ...{ channel: 'remote', lane: 'remote far.test', slots: 3, mostInUse: 3, mostInLane: 0 },
      // Full from second 10 to 15, when the first of them ends.
      blocked: { channelFull: 5_000, laneShare: 0, laneTroubled: 0, engineAway: 0 },
      exact: true,
    });
    expect(slotWords(wait)).toEqual([
      '  For 5.0 s all 3 remote slots were taken (concurrencyremote).',
      '  Under way when it fell due:',
      ...[1, 2, 3].map(
        (n) =>
          `    letter ${idEnding(`000${n}`)} to remote h${n}.test, begun 2026-01-01T00:00:0${n}Z`,
      ),
    ]);
  });

  it('is its own destination, which has its share of the slots', async () => {
    const slow = attempt(1, far, 0, 5);
    const own = [2, 3].flatMap((n) => attempt(n, `joe${n}@far.test`, 6));
    const wait = await waitIn(logOf(...slow, ...own), { slots: 5 });
    expect(wait).toMatchObject({ pace: 'slow', mostInLane: 2, blocked: { laneShare: 10_000 } });
  });

  it('is the one attempt that a destination in trouble may have', async () => {
    const id = idEnding('00ff');
    const failing = deferred(0, far, 500, { startedAt: 1, at: 2 }) as Extract<
      QueueEvent,
      { type: 'RecipientDeferred' }
    >;
    const noAnswer = { ...failing, data: { ...failing.data, reply: { text: 'no connection\n' } } };
    const [first, second] = ofLetter([started([far], { at: 1 }), noAnswer], id);
    const wait = await waitIn(
      logOf([1, first!], [2, second!], ...attempt(2, 'eve@far.test', 3, 18)),
      { slots: 20 },
    );
    expect(wait.blocked).toMatchObject({ laneTroubled: 8_000, channelFull: 0, laneShare: 0 });
  });

  it('is the engine, before that was started', async () => {
    const start: Told = {
      stream: 'node-here-1',
      event: { type: 'NodeStarted', v: 1, at: age(17), data: {} },
    };
    const lost = attempt(1, far, 1);
    const wait = await waitIn(logOf(...lost, [17, start]));
    expect(wait).toMatchObject({ blocked: { engineAway: 7_000 }, mostInUse: 0, exact: true });
    expect(slotWords(wait)).toEqual(['  For 7.0 s the engine was not running yet.']);
  });

  it('is nothing that the log knows of, when slots were free', async () => {
    const wait = await waitIn(logOf(...attempt(1, 'joe@h.test', 1, 30)), { until: age(15) });
    expect(slotWords(wait)).toEqual([
      '  Slots were free as far as the log tells: at most 1 of 3 were in use.',
    ]);
  });

  it('is not asked of attempts of the other channel', async () => {
    const local = [1, 2, 3].flatMap((n) => attempt(n, 'joe@here.test', n));
    expect((await waitIn(logOf(...local))).mostInUse).toBe(0);
  });
});
