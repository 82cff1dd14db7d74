/**
 * PIC: an engine with mail in all states is killed, its log moves to an event store (and the move is killed, too),
 * it goes on there, and moves back into the same data directory. `WAYBILL_MOVING_LETTERS`: more mail.
 */
import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog } from '../../src/api/open-log.ts';
import { makeEngine, type Engine } from '../support/engine.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { seeded } from '../support/seeded.ts';
import { openSink } from '../support/sink.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';
import { jsonLines } from '../cli/run.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
const letters = Number(process.env['WAYBILL_MOVING_LETTERS'] ?? 12);
/** Much mail, much patience. */
const isLong = letters > 100;
const kills = isLong ? 10 : 1;

/** Other tests may keep the machine busy. */
const urgent = '--urgent';

const letter = (n: number, to: string) => ({
  from: 'demo@demo.test',
  to: [to],
  body: `Subject: ${n}\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(n % 8 === 3 ? 16_000 : 3)}`,
});

/** Of every four letters two stay here, one cannot go out yet, and few are under way when the end comes. */
const addressOf = (n: number): string => {
  if (n >= letters - 3) return `r${n}@slow.test`;
  return n % 4 < 2 ? 'demo@demo.test' : `r${n}@far.test`;
};

/** All that operators see of the mail. */
async function seen(engine: Engine, ids: readonly string[]) {
  const ask = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await engine.waybill(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  const {
    position: _,
    checkpoint: __,
    ...verified
  } = JSON.parse(await ask('verify', '--json', urgent)) as Record<string, unknown>;
  const stories: string[] = [];
  for (const id of ids) {
    // Positions are the log's own.
    stories.push((await ask('trace', id, '--json')).replaceAll(/"position":\d+/g, '""'));
  }
  return { verified, stories, queue: jsonLines(await ask('queue', '--json', '--limit', '9999')) };
}

/** Moves; the command is killed again and again, each time a little later. */
async function copyKilled(engine: Engine, env: Readonly<Record<string, string>>): Promise<number> {
  const chance = seeded(Number(process.env['WAYBILL_SEED'] ?? 7));
  const places = ['--config', engine.configDir, '--data', engine.dataDir];
  const asked = [...places, 'log', 'copy', '--from', 'sqlite', '--to', 'kurrentdb'];
  let killed = 0;
  for (let left = kills; ; left -= 1) {
    const child = spawn(process.execPath, [main, ...asked], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    });
    const ms = 350 + chance.below(60 + letters);
    const killing = left > 0 ? setTimeout(() => child.kill('SIGKILL'), ms) : undefined;
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    clearTimeout(killing);
    if (signal === 'SIGKILL') killed += 1;
    else expect(code).toBe(0);
    if (left === 0) return killed;
  }
}

describe('an engine that moves house', () => {
  it('goes on with its queue and its history in an event store, and back home', async () => {
    const server = await new StandIn().start();
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const sink = await openSink(0);
    await sink.shut();
    const { port: slow } = silent.address() as AddressInfo;
    const env: Record<string, string> = {
      ...{ WAYBILL_LOG_URL: server.url() },
      // Whoever reads its log waits so long whether it is dead.
      ...{ WAYBILL_NODES_BEAT_MS: '400', WAYBILL_NODES_TTL_MS: '2000' },
    };
    const smtproutes = `slow.test:127.0.0.1:${slow}\n:127.0.0.1:${sink.port}\n`;
    const engine = await makeEngine({
      ...{ control: { smtproutes, timeoutremote: '600\n' }, env, desk: true },
    });
    const ask = async (...args: readonly string[]) => (await engine.waybill(...args)).stdout;
    try {
      await engine.start();
      for (let n = 0; n < letters; n += 1) {
        expect(await handIn(engine.port, letter(n, addressOf(n)))).toMatch(/^250/);
      }
      const here = Array.from({ length: letters }, (_, n) => addressOf(n));
      const local = here.filter((to) => to === 'demo@demo.test').length;
      await until(() => engine.maildir('demo').length === local, 'local mail', 120_000);
      const waits = async () => jsonLines(await ask('queue', '--json', '--limit', '9999'));
      const under = async () => (await waits()).filter(({ status }) => status === 'attempting');
      await until(async () => (await under()).length === 3, 'attempts under way', 60_000);
      await until(
        async () => (await ask('log', urgent, '--type', 'RecipientDeferred')) !== '',
        'deferrals',
      );
      await engine.kill('start', 'queue', 'door', 'remote', 'local', 'desk');
      const past = await openLog(engine.dataDir);
      const reader = await past.consumer('auditor');
      await reader.handled(20);
      await past.close();
      const found = jsonLines(await ask('search', urgent, '--json', '--limit', '9999'));
      const ids = found.slice(isLong ? -8 : -1).map(({ message }) => String(message));
      const before = await seen(engine, ids);
      const eventsBefore = (await ask('log', urgent)).trimEnd().split('\n').length;

      expect(await copyKilled(engine, env)).toBeGreaterThan(isLong ? 7 : -1);
      env['WAYBILL_LOG_ENGINE'] = 'kurrentdb';
      expect(await seen(engine, ids)).toEqual(before);
      const [consumer] = jsonLines(await ask('consumers', '--json'));
      const [next] = jsonLines(await ask('log', urgent, '--limit', '21')).slice(-1);
      expect(Number(consumer!['position'])).toBeLessThan(Number(next!['position']));

      await engine.start();
      await until(
        async () => (await ask('log', urgent, '--type', 'MessageAdopted')) !== '',
        'adoption',
      );
      expect((await engine.waybill('verify', urgent)).code).toBe(0);
      await sink.open();
      const remote = here.filter((to) => to.endsWith('@far.test')).length;
      for (let asked = 0; sink.letters.length < remote && asked < 60; asked += 1) {
        engine.signal('SIGALRM');
        await sleep(isLong ? 5_000 : 1_000);
      }
      expect(sink.letters).toHaveLength(remote);
      expect(await handIn(engine.port, letter(1, 'demo@demo.test'))).toMatch(/^250/);
      await until(() => engine.maildir('demo').length === local + 1, 'a new letter');
      const again = async () => (await under()).length === 3;
      await until(again, 'attempts under way at the new place', 60_000);
      await engine.kill('start', 'queue', 'door', 'remote', 'local', 'desk');

      // Nothing of the event store's positions fits the log that is made anew beside all the old files.
      renameSync(join(engine.dataDir, 'log'), join(engine.root, 'old-log'));
      const back = await engine.waybill('log', 'copy', '--from', 'kurrentdb', '--to', 'sqlite');
      expect(back).toMatchObject({ code: 0, stderr: '' });
      const there = await seen(engine, ids);
      env['WAYBILL_LOG_ENGINE'] = 'sqlite';
      expect(await seen(engine, ids)).toEqual(there);
      const events = jsonLines(await ask('log', urgent));
      expect(events.length).toBeGreaterThan(eventsBefore);
      expect(jsonLines(await ask('consumers', '--json'))).toMatchObject([
        { name: 'auditor', position: 20, behind: events.length - 20 },
      ]);
      const doubts = async () =>
        jsonLines(await ask('log', urgent, '--type', 'RecipientDeferred')).filter(
          ({ data }) => (data as { doubt?: true }).doubt === true,
        ).length;
      const doubted = await doubts();
      for (const socket of sockets) socket.destroy();
      silent.close();
      await engine.start();
      // Whoever had them: they are this engine's own now, and in doubt at once.
      await until(async () => (await doubts()) === doubted + 3, 'the doubts');
      expect(await handIn(engine.port, letter(2, 'demo@demo.test'))).toMatch(/^250/);
      await until(() => engine.maildir('demo').length === local + 2, 'one more letter');
      await until(
        async () => jsonLines(await ask('search', urgent, '--json')).length >= letters + 2,
        'the views',
      );
      const then = await ask('queue', '--json', '--limit', '9999', '--at', String(eventsBefore));
      expect(jsonLines(then)).toHaveLength(remote + 3);
      await engine.stop();
      const after = await engine.waybill('verify', urgent);
      expect(after.stdout).toContain('says the same as the log');
      expect(after.code).toBe(0);
    } finally {
      await engine.remove();
      for (const socket of sockets) socket.destroy();
      silent.close();
      await sink.shut();
      await server.stop();
    }
  }, 900_000);
});
