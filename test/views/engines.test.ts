/** Views and marks of the past are the same over an event store as over the embedded log, for the same mail. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { EMPTY, filter, firstValueFrom, type Observable } from 'rxjs';
import { openFollowed } from '../../src/log/kurrentdb/followed.ts';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import type { FollowedLog } from '../../src/log/consumer.ts';
import type { EventLog, RecordedEvent, Revision, StreamName } from '../../src/log/ports.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { keepHistory } from '../../src/past/history.ts';
import { openPast } from '../../src/past/past-queue.ts';
import { viewsConsumer } from '../../src/views/consumer.ts';
import { openViews } from '../../src/views/open-views.ts';
import type { Views } from '../../src/views/ports.ts';
import { openLogAt, openStandIn } from '../support/kurrent/open.ts';
import { openOffice, type Office } from '../trace/office.ts';
import { chooser, shuffle } from './mailbag.ts';

type Side = {
  readonly log: FollowedLog;
  readonly views: string;
  readonly past: string;
};

const rest = async () => undefined;
const ids: MessageId[] = [];
let office: Office;
let store: Awaited<ReturnType<typeof openStandIn>>;
let embedded: Side;
let inStore: Side;
let close: () => Promise<void>;

beforeAll(async () => {
  office = await openOffice();
  store = await openStandIn();
  await shuffle(office, ids, 150, chooser(7));
  await copyTo(store.log);
  const reader = openReader(office.logFile);
  const { connection } = openLogAt(store.server.url());
  const followed = openFollowed({ connection, now: () => office.clock.now() });
  embedded = sideOf(reader, 'embedded');
  inStore = sideOf(followed, 'in-store');
  close = async () => {
    reader.close();
    await followed.close();
  };
  for (const { log, views, past } of [embedded, inStore]) {
    await made(viewsConsumer.follow({ log, directory: views, rest, logger: silentLogger }));
    await made(keepHistory({ log, directory: past, every: 40, bytesPerEvent: 1e6 }));
  }
});
afterAll(async () => {
  await close();
  await store.close();
  await office.remove();
});

const sideOf = (log: FollowedLog, name: string): Side => {
  const [views, past] = [office.dir.file(`${name}-views`), office.dir.file(`${name}-past`)];
  mkdirSync(views);
  return { log, views, past };
};

const made = <S extends { readonly rebuilding?: boolean }>(states$: Observable<S>) =>
  firstValueFrom(states$.pipe(filter(({ rebuilding }) => rebuilding !== true)));

/** In the order of the log, with a node's beats in between, as the event store has them. */
async function copyTo(log: EventLog): Promise<void> {
  const lease: StreamName = 'lease-01a1fec4-43a5-7000-8000-000000000001';
  let beats: Revision = -1;
  for (const [index, event] of (await office.log.readAll({ limit: 10_000 })).entries()) {
    const { stream, revision, type, v, at, data } = event;
    await log.append(stream, revision - 1, [{ type, v, at, data }]);
    if (index % 7 > 0) continue;
    const beat = { count: beats + 2, open: 0, position: 0 };
    const opened = { node: 'mail-1', beatMs: 5_000, ttlMs: 30_000 };
    const more =
      beats < 0 ? { type: 'LeaseOpened', data: opened } : { type: 'LeaseBeat', data: beat };
    await log.append(lease, beats, [{ v: 1, at, ...more }]);
    beats += 1;
  }
}

async function asked<T>({ log, views: directory }: Side, ask: (views: Views) => Promise<T>) {
  const views = openViews({ log, directory });
  try {
    return await ask(views);
  } finally {
    views.close();
  }
}

const both = async <T>(ask: (side: Side) => Promise<T>): Promise<readonly [T, T]> => [
  await ask(embedded),
  await ask(inStore),
];

describe('views of the same mail', () => {
  it('say the same over an event store', async () => {
    const now = office.clock.now();
    const since = now - 30 * 86_400_000;
    const answers = await both((side) =>
      asked(side, async (views) => ({
        all: (await views.search({ limit: 500 })).letters,
        waiting: (await views.search({ limit: 500, status: 'waiting' })).letters,
        replies: (await views.search({ limit: 500, reply: 'greylisted' })).letters,
        to: (await views.search({ limit: 500, recipient: '@b.test', sender: '<>' })).letters,
        named: await views.lettersWith(ids[3]!.slice(0, 13), 10),
        traffic: await views.traffic({ from: since, until: now + 60_000, stepMs: 3_600_000 }),
        said: await views.said('deferred', since, 20),
        hosts: await views.hosts(since, 20),
        lanes: await views.waiting(20),
        ages: await views.ages(now, [0, 600_000, 3_600_000]),
        letters: (await views.status()).letters,
      })),
    );
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0].all).toHaveLength(ids.length);
    expect(answers[0].replies.length).toBeGreaterThan(3);
  });

  it('are the same rows to an analyst', async () => {
    const tables = ['messages', 'recipients', 'attempts', 'deferrals', 'hosts'] as const;
    const rows = await both(async ({ views }) => {
      const db = new DatabaseSync(`${views}/waybill-views.db`, { readOnly: true });
      try {
        return tables.map((table) => db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 4`).all());
      } finally {
        db.close();
      }
    });
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[0].every((each) => each.length > 2)).toBe(true);
  });

  it('are passed page by page, by positions that are bytes', async () => {
    const paged = await both((side) =>
      asked(side, async (views) => {
        const found: MessageId[] = [];
        for (let after: string | undefined; ;) {
          const more = after === undefined ? {} : { after };
          const { letters, next } = await views.search({ limit: 7, recipient: '@c.test', ...more });
          found.push(...letters.map(({ message }) => message));
          if (next === undefined) return found;
          after = next;
        }
      }),
    );
    expect(paged[1]).toEqual(paged[0]);
    expect(new Set(paged[0]).size).toBe(paged[0].length);
  });
});

describe('views of a log of many terabytes', () => {
  it('find letters by what the index holds, each once and in order', async () => {
    const far = { ...embedded, log: shifted(embedded.log, 2 ** 45), views: office.dir.file('far') };
    mkdirSync(far.views);
    await made(
      viewsConsumer.follow({ log: far.log, directory: far.views, rest, logger: silentLogger }),
    );
    const find = (side: Side) =>
      asked(
        side,
        async (views) => (await views.search({ limit: 500, recipient: '@c.test' })).letters,
      );
    const found = await find(far);
    expect(found).toEqual(await find(embedded));
    expect(found.length).toBeGreaterThan(5);
    const page = await asked(far, (views) => views.search({ limit: 3, recipient: '@c.test' }));
    const next = await asked(far, (views) =>
      views.search({ limit: 500, recipient: '@c.test', after: page.next! }),
    );
    expect([...page.letters, ...next.letters]).toEqual(found);
  });
});

/** The same log, as if so many bytes lay before it. */
function shifted({ version, ...log }: FollowedLog, by: number): FollowedLog {
  const up = (event: RecordedEvent) => ({ ...event, position: event.position + by });
  return {
    ...{ version, damages: () => [], subscribe: () => EMPTY },
    readStream: async (...asked) => (await log.readStream(...asked)).map(up),
    readAll: async ({ after = by, ...asked }) =>
      (await log.readAll({ ...asked, after: Math.max(0, after - by) })).map(up),
    head: async () => (await log.head()) + by,
  };
}

describe('marks of the same past', () => {
  it('answer the same at any instant, with marks and without', async () => {
    const events = await office.log.readAll({ limit: 10_000 });
    for (const [index, { at }] of events.entries()) {
      if (index % 29 > 0) continue;
      const [here, there] = await both(async ({ log, past: directory }) => {
        const { position: _own, ...answer } = await openPast({ log, directory }).queueAt({ at }, 9);
        return answer;
      });
      expect(there).toEqual(here);
    }
    expect(readdirSync(inStore.past).length).toBeGreaterThan(5);
  });

  it('leave as many marks, though positions there count bytes, and none at a beat', async () => {
    const places = readdirSync(inStore.past).map((name) => Number(name.slice(0, 15)));
    const events = await inStore.log.readAll({ limit: 10_000 });
    const streams = new Map(events.map(({ position, stream }) => [position, stream]));
    for (const place of places) expect(streams.get(place)).toMatch(/^(message|node)-/);
  });
});
