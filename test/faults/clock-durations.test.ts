/** A machine whose clock is set while somebody waits: how long he waits is no question of dates. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { openSessions } from '../../src/desk/guard/sessions.ts';
import { recipientCheck } from '../../src/ingress/recipients.ts';
import { refusalLog } from '../../src/ingress/refusal-log.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock, systemClock } from '../../src/platform/clock.ts';
import { systemProcesses } from '../../src/platform/system-processes.ts';
import { station } from '../delivery/remote/station.ts';
import { closeDoors, openDoor, until } from '../ingress/smtp/open-door.ts';
import { turnOfTheLoop } from '../support/faulty-log.ts';
import { smtpScript } from '../support/smtp-script.ts';

const hour = 3_600_000;
const both = [
  ['back', -hour],
  ['ahead', hour],
] as const;

const setBy = (clock: ManualClock, ms: number): void => clock.set(clock.now() + ms);

afterEach(async () => {
  jest.restoreAllMocks();
  await closeDoors();
});

describe.each(both)('when the clock is set an hour %s', (_, byMs) => {
  it('a silent client has five minutes as ever', async () => {
    const { greeted, clock, door } = await openDoor();
    const client = await greeted();
    setBy(clock, byMs);
    clock.advance(299_000);
    expect(await client.ask('NOOP')).toMatch(/^250 /);
    setBy(clock, -byMs);
    clock.advance(302_000);
    expect(await client.reply()).toMatch(/^421 |^451 /);
    await until(() => door.connections === 0);
  });

  it('a door tells so many refusals a minute as ever', async () => {
    const clock = new ManualClock();
    const log = new MemoryLog();
    const parts = { log, clock, perMinute: () => 1, onTrouble: () => undefined };
    const refusals = refusalLog(parts);
    const note = () => refusals.note({ door: 'smtp', peer: '192.0.2.1', reply: '553 no' });
    note();
    setBy(clock, byMs);
    clock.advance(59_000);
    note();
    clock.advance(1_000);
    note();
    await turnOfTheLoop();
    const told = (await log.readAll({ limit: 10 })).map(({ type }) => type);
    expect(told).toEqual(['Refused', 'RefusalsSuppressed', 'Refused']);
    refusals.close();
  });

  it('a directory that says nothing is waited for as long as ever', async () => {
    const clock = new ManualClock();
    const receives = recipientCheck({
      ...{ clock, timeoutMs: 10_000, directory: { receives: () => new Promise(() => undefined) } },
      route: (address) => ({ channel: 'local', address }),
    });
    let end = 'none';
    void Promise.resolve(receives('joe@demo.test')).catch(() => (end = 'given up'));
    setBy(clock, byMs);
    clock.advance(9_999);
    await turnOfTheLoop();
    expect(end).toBe('none');
    clock.advance(1);
    await turnOfTheLoop();
    expect(end).toBe('given up');
  });

  it('a connection to a far host rests as long as ever', async () => {
    const letter = `C: MAIL FROM:<ann@a.test>\n S: 250 ok\n C: RCPT TO:<joe@b.test>\n S: 250 ok
      C: DATA\n S: 354 go\n body\n S: 250 k\n`;
    const hello = `S: 220 mx\n C: EHLO me.test\n S: 250 mx\n`;
    const far = await smtpScript(`${hello}${letter}${letter}`, `${hello}${letter}`);
    const here = station({ '192.0.2.1': far });
    await here.deliver();
    setBy(here.clock, byMs);
    here.clock.advance(4_999);
    await here.deliver();
    expect(far.connections()).toBe(1);
    setBy(here.clock, byMs);
    here.clock.advance(5_000);
    await far.ended(1);
    here.channel.close();
    await far.close();
  });

  it('an address that does not answer is left alone as long as ever', async () => {
    const here = station({});
    here.tcpto.set('192.0.2.1', { count: 2, at: here.clock.steady() });
    here.tcpto.set('192.0.2.2', { count: 2, at: here.clock.steady() });
    setBy(here.clock, byMs);
    here.clock.advance(63 * 60_000);
    await here.deliver();
    expect(here.dialled).toEqual([]);
    here.clock.advance(2 * 60_000);
    await here.deliver();
    expect(here.dialled).not.toEqual([]);
    here.channel.close();
  });

  it('a program runs as long as ever', async () => {
    const clock = new ManualClock();
    let end = 'none';
    const ended = systemProcesses({ clock }).run({
      ...{ file: '/bin/sleep', args: ['30'], cwd: '/', env: {} },
      ...{ timeoutMs: 10_000, maxOutputBytes: 0 },
    });
    void ended.then(({ how }) => (end = how));
    setBy(clock, byMs);
    clock.advance(9_999);
    await turnOfTheLoop();
    expect(end).toBe('none');
    clock.advance(1);
    // What is left of it to say is waited for by the same clock.
    const pushing = setInterval(() => clock.advance(100), 5);
    expect(await ended).toMatchObject({ how: 'stopped' });
    clearInterval(pushing);
  });

  it('whoever is logged in at the desk stays so as long as ever', () => {
    const clock = new ManualClock();
    const sessions = openSessions(clock, { sessions: 10, idleMs: 60_000, ageMs: 10 * hour });
    const cookie = sessions.open('ann');
    setBy(clock, byMs);
    clock.advance(60_000);
    expect(sessions.find(cookie)?.who).toBe('ann');
    setBy(clock, byMs);
    clock.advance(60_001);
    expect(sessions.find(cookie)).toBeUndefined();
  });

  it('the system’s own timers ring as ever', async () => {
    const rung = new Promise<number>((resolve) => {
      const from = systemClock.steady();
      systemClock.after(30, () => resolve(systemClock.steady() - from));
    });
    const now = Date.now;
    jest.spyOn(Date, 'now').mockImplementation(() => now.call(Date) + byMs);
    const tookMs = await rung;
    expect(tookMs).toBeGreaterThanOrEqual(30);
    expect(tookMs).toBeLessThan(hour / 2);
  });
});
