/** The views as the desk keeps them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import type { Subscription } from 'rxjs';
import type { ConsumerState } from '../../src/log/consumer.ts';
import { openReader, type ReadOnlyLog } from '../../src/log/sqlite/open-reader.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { buildViews } from '../../src/views/build.ts';
import { viewsConsumer } from '../../src/views/consumer.ts';
import { openViews } from '../../src/views/open-views.ts';
import { openOffice, says, type Office } from '../trace/office.ts';
import { until } from '../support/until.ts';

let office: Office;
let log: ReadOnlyLog;
let directory: string;
let following: Subscription | undefined;
let states: ConsumerState[];
beforeEach(async () => {
  office = await openOffice();
  directory = office.dir.file('views');
  mkdirSync(directory);
  log = openReader(office.logFile);
  states = [];
});
afterEach(async () => {
  following?.unsubscribe();
  following = undefined;
  log.close();
  await office.remove();
});

function follow(): void {
  const rest = async () => undefined;
  following = viewsConsumer
    .follow({ log, directory, rest, logger: silentLogger })
    .subscribe({ next: (state) => states.push(state), error: () => undefined });
}

const caughtUp = async (): Promise<void> => {
  const head = await office.log.head();
  await until(() => states.at(-1)?.position === head && !states.at(-1)!.rebuilding, 'the views');
};

const served = () => readlinkSync(`${directory}/waybill-views.db`);

async function asked<T>(ask: (views: ReturnType<typeof openViews>) => Promise<T>): Promise<T> {
  const views = openViews({ log, directory });
  try {
    return await ask(views);
  } finally {
    views.close();
  }
}

describe('the views of a log', () => {
  it('are computed when there are none, and follow what comes', async () => {
    const id = await office.accept(['bob@b.test']);
    follow();
    await caughtUp();
    const before = served();
    await office.attempt(id, [0], [says('deferred', 0, '451 busy\n')]);
    await caughtUp();
    expect(served()).toBe(before);
    const status = await asked((views) => views.status());
    expect(status).toMatchObject({ letters: 1, position: status.head, rebuilding: undefined });
    const [said] = await asked((views) => views.said('deferred', 0, 5));
    expect(said).toEqual({ reply: '451 busy\n', count: 1 });
  });

  it('go on where they were after a stop', async () => {
    await office.accept(['bob@b.test']);
    follow();
    await caughtUp();
    following!.unsubscribe();
    const before = served();
    await office.accept(['eve@b.test']);
    states = [];
    follow();
    await caughtUp();
    expect(served()).toBe(before);
    expect(states.some(({ rebuilding }) => rebuilding)).toBe(false);
    expect((await asked((views) => views.status())).letters).toBe(2);
  });

  it('are computed again when they are of another log, or no database', async () => {
    await office.accept(['bob@b.test']);
    follow();
    await caughtUp();
    following!.unsubscribe();
    const other = await openOffice(office.clock.now() + 5_000);
    await other.accept(['zoe@b.test']);
    await office.log.close();
    log.close();
    for (const suffix of ['-wal', '-shm', '']) {
      try {
        writeFileSync(office.logFile + suffix, readFileSync(other.logFile + suffix));
      } catch {
        // This one had none.
      }
    }
    log = openReader(office.logFile);
    const before = served();
    states = [];
    follow();
    await until(() => served() !== before, 'new views');
    const { letters } = await asked((views) => views.search({ limit: 10 }));
    expect(letters.map(({ recipients }) => recipients[0]!.address)).toEqual(['zoe@b.test']);
    following!.unsubscribe();

    const damaged = served();
    writeFileSync(`${directory}/${damaged}`, 'no database');
    follow();
    await until(() => served() !== damaged, 'new views');
    await other.remove();
  });

  it('change places with those that somebody else has computed, and follow them', async () => {
    await office.accept(['bob@b.test']);
    follow();
    await caughtUp();
    const before = served();
    for await (const _ of buildViews({
      log,
      directory,
      rest: async () => undefined,
      afresh: true,
    })) {
      void _;
    }
    expect(served()).not.toBe(before);
    await office.accept(['eve@b.test']);
    await until(
      async () => (await asked((views) => views.status())).letters === 2,
      'the new views to follow',
    );
  });
});

describe('sums over the mail', () => {
  it('count traffic, hosts, ages and what waits', async () => {
    const start = office.clock.now();
    const good = await office.accept(['bob@b.test']);
    await office.attempt(good, [0], [says('delivered', 0)]);
    office.clock.advance(7_200_000);
    const late = await office.accept(['eve@c.test', 'zoe@c.test']);
    await office.attempt(
      late,
      [0, 1],
      [says('deferred', 0, '451 no\n'), says('failed', 1, '550 no\n')],
    );
    follow();
    await caughtUp();
    const now = office.clock.now();
    expect(
      await asked((views) => views.traffic({ from: start, until: now, stepMs: 3_600_000 })),
    ).toMatchObject([
      { accepted: 1, delivered: 1, deferred: 0, failed: 0 },
      { accepted: 1, delivered: 0, deferred: 1, failed: 1 },
    ]);
    const [worst, best] = await asked((views) => views.hosts(start, 10));
    expect(worst).toMatchObject({
      host: 'c.test',
      deferred: 1,
      failed: 1,
      meanMs: 1500,
      lastTrouble: '550 no\n',
    });
    expect(best).toMatchObject({ host: 'b.test', delivered: 1, lastTrouble: undefined });
    expect(await asked((views) => views.waiting(10))).toEqual([
      { host: 'c.test', recipients: 1, oldest: start + 7_201_500 },
    ]);
    const bands = [0, 60_000, 3_600_000];
    expect(await asked((views) => views.ages(now, bands))).toEqual([
      { fromMs: 0, recipients: 1 },
      { fromMs: 60_000, recipients: 0 },
      { fromMs: 3_600_000, recipients: 0 },
    ]);
    expect(await asked((views) => views.ages(now + 7_200_000, bands))).toMatchObject([
      { recipients: 0 },
      { recipients: 0 },
      { recipients: 1 },
    ]);
    expect(await asked((views) => views.lettersWith(late.slice(0, 10), 10))).toEqual([late]);
  });
});
