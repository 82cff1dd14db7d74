import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream } from '../../../src/log/ports.ts';
import { isTrouble } from '../../../src/mail/trouble.ts';
import { newStream, noted, notedAll, notes } from '../../support/log-events.ts';
import { Listener } from '../../support/signals.ts';
import { openAt } from '../../support/sqlite-log.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

/** A pace that always wants so many. */
const waitingFor = (appends: number, gatherMs = 3_600_000) => ({
  wanted: () => appends,
  note: () => undefined,
  gatherMs,
});

describe('commits of the embedded log', () => {
  let dir: TempDir;
  beforeEach(() => {
    dir = tempDir();
  });
  afterEach(() => dir.remove());

  const letters = (count: number) => Array.from({ length: count }, newStream);

  it('carry all letters that arrive in one turn', async () => {
    const { log } = openAt(dir);
    await Promise.all(letters(500).map((stream) => log.append(stream, noStream, notedAll('a'))));
    expect(log.counts).toEqual({ commits: 1, appends: 500, events: 500 });
    await log.close();
  });

  it('are far fewer than appends when many letters go their way at once', async () => {
    const { log } = openAt(dir);
    const walk = async (stream: string) => {
      for (let n = 0; n < 5; n += 1) await log.append(stream, n - 1, [noted(n)]);
    };
    await Promise.all(letters(100).map(walk));
    expect(log.counts.appends).toBe(500);
    expect(log.counts.commits).toBeLessThanOrEqual(10);
    await log.close();
  });

  it('take no more than a bound, and the rest comes next', async () => {
    const { log } = openAt(dir);
    await Promise.all(letters(5_000).map((stream) => log.append(stream, noStream, notedAll('a'))));
    expect(log.counts).toEqual({ commits: 3, appends: 5_000, events: 5_000 });
    await log.close();
  });

  it('take no more than some megabytes', async () => {
    const { log } = openAt(dir);
    const text = 'x'.repeat(1_000_000);
    await Promise.all(
      letters(20).map((stream) => log.append(stream, noStream, [noted(1, { text })])),
    );
    expect(log.counts.commits).toBe(3);
    await log.close();
  });

  it('let the loop turn between two', async () => {
    const { log } = openAt(dir);
    const commitsSeen: number[] = [];
    const look = () => {
      commitsSeen.push(log.counts.commits);
      if (log.counts.commits < 3) setImmediate(look);
    };
    const appended = letters(5_000).map((stream) => log.append(stream, noStream, notedAll('a')));
    setImmediate(look);
    await Promise.all(appended);
    expect(commitsSeen).toEqual(expect.arrayContaining([1, 2]));
    await log.close();
  });

  it('do not wait when one letter is alone', async () => {
    const { log } = openAt(dir, { pace: waitingFor(1) });
    await log.append(newStream(), noStream, notedAll('a'));
    expect(log.counts.commits).toBe(1);
    await log.close();
  });

  it('wait for those that are sure to come', async () => {
    const { log } = openAt(dir, { pace: waitingFor(5) });
    const appended: Promise<unknown>[] = [];
    for (const stream of letters(5)) {
      appended.push(log.append(stream, noStream, notedAll('a')));
      expect(log.counts.commits).toBe(0);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await Promise.all(appended);
    expect(log.counts).toEqual({ commits: 1, appends: 5, events: 5 });
    await log.close();
  });

  it('wait no longer than the time to gather', async () => {
    const { log } = openAt(dir, { pace: waitingFor(500, 1) });
    await log.append(newStream(), noStream, notedAll('a'));
    await log.append(newStream(), noStream, notedAll('b'));
    expect(log.counts.commits).toBe(2);
    await log.close();
  });

  it('that still gather are made when the log closes', async () => {
    const { log } = openAt(dir, { pace: waitingFor(500) });
    const appended = log.append(newStream(), noStream, notedAll('a'));
    await log.close();
    await expect(appended).resolves.toMatchObject({ revision: 0 });
  });

  it('are published when they are made, not before', async () => {
    const { log } = openAt(dir);
    const listener = new Listener(log.subscribe(0));
    await listener.until(({ caughtUp }) => caughtUp > 0);
    const appended = letters(3).map((stream, n) => log.append(stream, noStream, [noted(n)]));
    expect(listener.events).toEqual([]);
    await Promise.all(appended);
    await listener.untilEvents(3);
    expect(notes(listener.events)).toEqual([0, 1, 2]);
    await log.close();
  });

  it('that would be too many wait at the sender', async () => {
    const { log } = openAt(dir);
    const outcomes = letters(20_010).map((stream) =>
      log.append(stream, noStream, notedAll('a')).then(
        () => 'written',
        (cause: unknown) => (isTrouble(cause) ? cause.code : 'bug'),
      ),
    );
    const told = await Promise.all(outcomes);
    expect(told.filter((each) => each === 'written')).toHaveLength(20_000);
    expect(told.slice(20_000)).toEqual(Array.from({ length: 10 }, () => 'busy'));
    await expect(log.append(newStream(), noStream, notedAll('later'))).resolves.toBeDefined();
    await log.close();
  });
});
