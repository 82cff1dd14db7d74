/** Which events an engine believes of an event store. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { oddityOf } from '../../src/log/event-shapes.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { play, walks } from '../support/random-letters.ts';

const ours = readFileSync(new URL('../histories/waybill-0.1.0.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as RecordedEvent);

describe('an event in an event store', () => {
  it('is believed when any release wrote it', () => {
    expect(ours.length).toBeGreaterThan(50);
    expect(ours.map((event) => oddityOf(event)).filter(Boolean)).toEqual([]);
  });

  it('is believed when a letter of ours wrote it', () => {
    fc.assert(
      fc.property(walks, ({ steps, sizes }) => {
        const { events } = play(steps, sizes);
        expect(events.map((event) => oddityOf(event)).filter(Boolean)).toEqual([]);
      }),
    );
  });

  it('is named when a part of it is missing or something else', () => {
    for (const event of ours.filter(({ stream }) => stream.startsWith('message-'))) {
      expect(oddityOf({ ...event, data: null })).toMatch(/does not look like one/);
    }
    const queued = ours.find(({ type }) => type === 'MessageQueued')!;
    const routes = [{ channel: 'remote', address: 'a@b.test', rule: '' }];
    expect(oddityOf({ ...queued, data: { controls: '', routes } })).toMatch(/MessageQueued/);
  });

  it('is named when its letter, its stream or its time can be none', () => {
    const [event] = ours;
    expect(oddityOf({ ...event!, stream: 'message-a\nb' })).toMatch(/name/);
    expect(oddityOf({ ...event!, stream: 'message-1' })).toMatch(/name/);
    expect(oddityOf({ ...event!, stream: 'node-\u001b[2J' })).toMatch(/name/);
    expect(oddityOf({ ...event!, at: 9_999_999_999_999_999 })).toMatch(/time/);
  });
});
