import { describe, expect, it } from '@jest/globals';
import { nodeEvents } from '../../src/desk/node-events.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';

const stream = 'node-a-1';
const started = (revision: number): RecordedEvent => ({
  ...{ stream, revision, position: revision + 1, type: 'NodeStarted', v: 1, at: revision },
  data: { node: 'a' },
});
const revisionsOf = (events: readonly RecordedEvent[]) => events.map(({ revision }) => revision);

describe('the events of an engine’s starts', () => {
  it('are read once, and then heard', async () => {
    let reads = 0;
    const events = nodeEvents({
      readStream: async () => {
        reads += 1;
        return [started(0)];
      },
    });
    await events.readStream(stream);
    events.hear(started(1));
    events.hear(started(1));
    expect([revisionsOf(await events.readStream(stream)), reads]).toEqual([[0, 1], 1]);
  });

  it('lack none that is heard while they are being read', async () => {
    const there = [started(0)];
    const events = nodeEvents({
      readStream: async () => {
        const asItWas = [...there];
        await new Promise((resolve) => setImmediate(resolve));
        return asItWas;
      },
    });
    const reading = events.readStream(stream);
    there.push(started(1));
    events.hear(started(1));
    await reading;
    expect(revisionsOf(await events.readStream(stream))).toEqual([0, 1]);
  });

  it('are read again where one was not heard', async () => {
    const there = [started(0)];
    const events = nodeEvents({ readStream: async () => [...there] });
    await events.readStream(stream);
    there.push(started(1), started(2));
    events.hear(started(2));
    expect(revisionsOf(await events.readStream(stream))).toEqual([0, 1, 2]);
  });
});
