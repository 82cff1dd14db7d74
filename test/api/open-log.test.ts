import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { lastValueFrom, toArray } from 'rxjs';
import { openLog } from '../../src/api/open-log.ts';
import type { WaybillEvent, WaybillLog } from '../../src/api/waybill.mjs';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { openOffice, says, type Office } from '../trace/office.ts';

let office: Office;
let log: WaybillLog;
beforeEach(async () => {
  office = await openOffice();
  await office.accept(['ann@b.test', 'bob@b.test']);
  log = await openLog(office.path, { pollMs: 10 });
});
afterEach(async () => {
  await log.close();
  await office.remove();
});

const positions = (events: readonly WaybillEvent[]) => events.map(({ position }) => position);

describe('the log for programs', () => {
  it('gives what is there, then what comes, each once, until it is closed', async () => {
    const heard: WaybillEvent[] = [];
    let ended = false;
    log.events().subscribe({ next: (event) => heard.push(event), complete: () => (ended = true) });
    await until(() => heard.length === 4, 'what is there');
    await office.accept(['eve@c.test']);
    await until(() => heard.length === 6, 'what comes');
    expect(positions(heard)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(heard[2]).toMatchObject({ type: 'MessageAccepted', revision: 0, v: 1, data: {} });
    await log.close();
    await until(() => ended, 'the end');
  });

  it('pulls no event before the one before it is done with', async () => {
    const heard: number[] = [];
    const reading = (async () => {
      for await (const { position } of log.read(3)) {
        heard.push(position);
        if (position === 4) await office.accept(['eve@c.test']);
        if (position === 6) break;
      }
    })();
    await reading;
    expect(heard).toEqual([3, 4, 5, 6]);
    const there = await lastValueFrom(log.events(5, { live: false }).pipe(toArray()));
    expect(positions(there)).toEqual([5, 6]);
  });

  it('goes on when the engine has stopped and started again', async () => {
    const heard: WaybillEvent[] = [];
    log.events(5).subscribe((event) => heard.push(event));
    await office.close();
    const { SqliteLog } = await import('../../src/log/sqlite/sqlite-log.ts');
    const again = new SqliteLog(office.logFile);
    await again.append('door-a-1', -1, [{ type: 'X', v: 1, at: 1, data: {} }]);
    await until(() => heard.length === 1, 'the event after the restart');
    expect(heard[0]).toMatchObject({ position: 5, type: 'X' });
    await again.close();
  });

  it('answers for the queue at any place, and tells stories', async () => {
    const id = await office.accept(['zoe@c.test']);
    await office.attempt(id, [0], [says('deferred', 0, '451 busy\n')]);
    const now = await log.queueAt(new Date(office.clock.now()));
    expect(now.counts).toMatchObject({ letters: 2, recipients: 3 });
    expect(now.recipients.find(({ message }) => message === id)).toMatchObject({
      ...{ address: 'zoe@c.test', attempts: 1, status: 'waiting' },
      lastReply: { text: '451 busy\n' },
    });
    const before = await log.queueAt({ position: 4 }, { limit: 1 });
    expect([before.counts.recipients, before.recipients.length, before.position]).toEqual([
      2, 1, 4,
    ]);
    expect(await log.positionAt({ position: 3 })).toBe(3);
    const story = await log.story(id.slice(-6));
    expect(story.events.map(({ type }) => type)).toContain('RecipientDeferred');
    expect(story.lines.at(-1)?.text).toContain('deferred');
    await expect(log.story('ffffffff')).rejects.toMatchObject({ code: 'not-found' });
    await expect(log.queueAt('the day before')).rejects.toThrow('no time');
  });

  it('keeps positions by name, one holder at a time', async () => {
    const consumer = await log.consumer('mine');
    expect(consumer.position).toBe(0);
    await expect(log.consumer('mine')).rejects.toMatchObject({ code: 'log-in-use' });
    await Promise.all([2, 3, 1].map((position) => consumer.handled(position)));
    expect(consumer.position).toBe(3);
    await expect(consumer.handled(99)).rejects.toMatchObject({ code: 'refused' });
    await consumer.close();
    const again = await log.consumer('mine');
    const rest = await lastValueFrom(again.events({ live: false }).pipe(toArray()));
    expect(positions(rest)).toEqual([4]);
    await expect(log.consumer('../mine')).rejects.toThrow('no name');
  });
});

describe('a directory without a log', () => {
  it('is refused, or waited for, and left as it is', async () => {
    const dir = tempDir();
    await expect(openLog(dir.path)).rejects.toMatchObject({ code: 'log-unavailable' });
    expect(existsSync(dir.file('log'))).toBe(false);
    const waited = openLog(office.path, { wait: true });
    await (await waited).close();
    dir.remove();
  });
});
