import { beforeEach, describe, expect, it } from '@jest/globals';
import { formatProgress, openProgress } from '../../src/cli/progress.ts';

let written: string[];
let now: number;
const terminal = (isTTY: boolean) =>
  ({ isTTY, write: (text: string) => written.push(text) }) as unknown as NodeJS.WriteStream;

beforeEach(() => {
  written = [];
  now = 0;
});

describe('the progress of long work', () => {
  it('is a bar with amounts and a rate', () => {
    expect(formatProgress('verifying', 450_000, 1_000_000, 'events', 210_000)).toBe(
      'verifying [#############.................] 45 %, 450,000 of 1,000,000 events, 210,000/s',
    );
    expect(formatProgress('verifying', 0, 1, 'structure of the file', 0)).toBe(
      'verifying [..............................] 0 %, structure of the file',
    );
  });

  it('is shown five times a second at most, and wiped in the end', () => {
    const progress = openProgress('searching', terminal(true), () => now);
    for (; now < 1_000; now += 10) progress.tell(now, 1_000);
    progress.end();
    expect(written.length).toBe(5);
    expect(written[0]).toContain('searching [######');
    expect(written.at(-1)).toBe('\r\x1b[K');
  });

  it('says what else there is, and how long it will take', () => {
    const progress = openProgress('copying', terminal(true), () => now);
    progress.tell(0, 400);
    now = 1_000;
    progress.tell(100, 400, 'events', '7 bodies (1.5 MiB)');
    expect(written.at(-1)).toMatch(/100 of 400 events, 100\/s, 7 bodies \(1.5 MiB\), 3.0 s left$/);
  });

  it('tells at once that something new has begun', () => {
    const progress = openProgress('verifying', terminal(true), () => now);
    now = 300;
    progress.tell(99, 100, 'events');
    now = 301;
    progress.tell(0, 1, 'structure of the file');
    expect(written.at(-1)).toContain('structure of the file');
  });

  it('is not shown to a pipe, nor for work that is over at once', () => {
    const piped = openProgress('searching', terminal(false), () => now);
    const quick = openProgress('searching', terminal(true), () => now);
    for (const progress of [piped, quick]) {
      progress.tell(1, 2);
      now += 10;
      progress.end();
    }
    expect(written).toEqual([]);
  });
});
