import { describe, expect, it } from '@jest/globals';
import { eventId } from '../../src/log/event-id.ts';
import { at, newStream } from '../support/log-events.ts';

describe('the id of an event', () => {
  it('is a UUID of version 7', () => {
    for (let n = 0; n < 100; n += 1) {
      expect(eventId(newStream(), n, at + n)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }
  });

  it('is the same for the same event, and another for any other', () => {
    expect(eventId('message-a', 1, at)).toBe(eventId('message-a', 1, at));
    const ids = [
      eventId('message-a', 1, at),
      eventId('message-a', 2, at),
      eventId('message-b', 1, at),
      eventId('message-a', 1, at + 1),
      eventId('message-a1', 1, at),
      eventId('message-a', 11, at),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('tells events apart that differ in what they say, for stores that compare nothing else', () => {
    const ids = ['', 'Noted 1 {"n":1}', 'Noted 2 {"n":1}', 'Noted 1 {"n":2}'].map((content) =>
      eventId('message-a', 1, at, content),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(eventId('message-a', 1, -1, 'a')).not.toBe(eventId('message-a', 1, -2, 'a'));
  });

  it('sorts by time', () => {
    const times = [0, 1, 255, 256, 2 ** 32, at, at + 1, 2 ** 48 - 1];
    const ids = times.map((time) => eventId('message-a', 0, time));
    expect([...ids].sort()).toEqual(ids);
    expect(ids.map((id) => Number.parseInt(id.slice(0, 13).replace('-', ''), 16))).toEqual(times);
  });

  it('takes a time before 1970 for 1970', () => {
    expect(eventId('message-a', 0, -5)).toBe(eventId('message-a', 0, 0));
  });
});
