import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openStreamFinder, type StreamFinder } from '../../src/log/sqlite/find-streams.ts';
import { positionBefore } from '../../src/trace/pages.ts';
import { birth } from '../support/queue-mail.ts';
import { openOffice, type Office } from './office.ts';

let office: Office;
let finder: StreamFinder;
let ids: string[];
beforeAll(async () => {
  office = await openOffice();
  ids = [];
  for (let n = 0; n < 20; n += 1) {
    ids.push(await office.accept(['ann@b.test']));
    office.clock.advance(3_600_000);
  }
  finder = openStreamFinder(office.logFile);
});
afterAll(async () => {
  finder.close();
  await office.remove();
});

describe('a letter', () => {
  it('is found by its whole id, its beginning, its end', () => {
    const id = ids[5]!;
    for (const part of [
      id,
      id.slice(0, 13),
      id.slice(0, 12),
      id.slice(-3),
      id.replaceAll('-', '').toUpperCase(),
    ]) {
      expect(finder.letters(part, 10)).toEqual([`message-${id}`]);
    }
  });

  it('is one of several when they share the part', () => {
    expect(finder.letters('019b', 100)).toHaveLength(20);
    expect(finder.letters('019b', 7)).toHaveLength(7);
    expect(finder.letters('0', 100)).toHaveLength(20);
  });

  it.each(['', 'x', 'ffff', "' OR 1", '%'])('is not found by %j', (part) => {
    expect(finder.letters(part, 10)).toEqual([]);
  });
});

describe('other streams', () => {
  it('are found by category', () => {
    expect(finder.category('node')).toEqual([`node-here.test-${birth.toString(36)}`]);
    expect(finder.category('door')).toEqual([]);
  });
});

describe('the position before a time', () => {
  it('leaves no younger event behind, and few older ones before', async () => {
    const instant = birth + 10 * 3_600_000;
    const after = await positionBefore(office.log, instant);
    const left = await office.log.readAll({ limit: after });
    expect(left.every(({ at }) => at < instant)).toBe(true);
    expect(left.length).toBe(2 + 2 * 9);
    expect(await positionBefore(office.log, 0)).toBe(0);
    expect(await positionBefore(office.log, Infinity)).toBe(await office.log.head());
  });
});
