import { describe, expect, it } from '@jest/globals';
import { HeadCache } from '../../../src/log/sqlite/head-cache.ts';
import { checksum, toStreamKey, toStreamName } from '../../../src/log/sqlite/rows.ts';
import { at, newStream } from '../../support/log-events.ts';

describe('the key of a stream', () => {
  it("is 16 bytes for a letter's, and comes back as its name", () => {
    const stream = newStream();
    expect(toStreamKey(stream)).toHaveLength(16);
    expect(toStreamName(toStreamKey(stream))).toBe(stream);
  });

  it.each([
    'node-here',
    'door-smtp',
    'message-',
    'message-1',
    'message-0198C0DE-0000-7000-8000-000000000000',
    'message-0198c0de-0000-7000-8000-0000000000001',
    'message-0198c0de-0000-7000-8000-000000000000\n',
    'messages-0198c0de-0000-7000-8000-000000000000',
  ])('is the name itself for %j', (stream) => {
    expect(toStreamKey(stream)).toBe(stream);
    expect(toStreamName(toStreamKey(stream))).toBe(stream);
  });
});

describe('the checksum of an event', () => {
  const event = {
    position: 12,
    stream: 'node-here',
    revision: 3,
    type: 'LetterNoted',
    v: 1,
    at,
    json: '{"n":1}',
  };

  it('changes with everything an event says', () => {
    const sums = [
      event,
      { ...event, position: 13 },
      { ...event, stream: 'node-her' },
      { ...event, revision: 4 },
      { ...event, type: 'LetterNote' },
      { ...event, v: 2 },
      { ...event, at: at + 1 },
      { ...event, json: '{"n":2}' },
      { ...event, position: 123, stream: 'ode-here' },
    ].map(checksum);
    expect(new Set(sums).size).toBe(sums.length);
    expect(checksum({ ...event })).toBe(sums[0]);
  });
});

describe('the remembered heads of streams', () => {
  it('are the newest of each stream', () => {
    const heads = new HeadCache(100);
    heads.set('a', 0);
    for (let n = 0; n < 60; n += 1) heads.set(`other-${n}`, n);
    heads.set('a', 7);
    expect(heads.get('a')).toBe(7);
    for (let n = 0; n < 30; n += 1) heads.set(`more-${n}`, n);
    expect(heads.get('a')).toBe(7);
  });

  it('forget what was not written for long, and never grow beyond their bound', () => {
    const heads = new HeadCache(10);
    for (let n = 0; n < 1_000; n += 1) heads.set(`stream-${n}`, n);
    const known = Array.from({ length: 1_000 }, (_, n) => n).filter(
      (n) => heads.get(`stream-${n}`) !== undefined,
    );
    expect(known.length).toBeLessThanOrEqual(10);
    expect(known.at(-1)).toBe(999);
  });
});
