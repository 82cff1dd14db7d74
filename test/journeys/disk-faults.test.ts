/**
 * A disk that is full, that fails to sync, that cannot be written, that is slow: no 250 without
 * durability, one clear word of it, and back to work by itself, or refusal where that is the honest thing.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { freePort, makeEngine, type Engine, type Role } from '../support/engine.ts';
import { load, openLedger, tokenOf, type Ledger } from '../support/ledger.ts';
import { readLog } from '../support/read-log.ts';
import { openSink, type Sink } from '../support/sink.ts';
import {
  canMountExt4,
  canMountTmpfs,
  ext4At,
  thinAt,
  tmpfsAt,
  type SmallDisk,
} from '../support/small-disk.ts';
import { handIn, idIn } from '../support/smtp-talk.ts';
import { canSpoil, spoil } from '../support/spoil.ts';
import { until } from '../support/until.ts';

const withTmpfs = canMountTmpfs() ? it : it.skip;
const withExt4 = canMountExt4() ? it : it.skip;
const withStrace = canSpoil() ? it : it.skip;

let sink: Sink;
let engine: Engine;
let disk: SmallDisk | undefined;

beforeEach(async () => {
  sink = await openSink(await freePort());
  engine = await makeEngine(optionsOf(0));
});

/** `minFree`: MiB below which no letters are taken. */
const optionsOf = (minFree: number) => ({
  control: { smtproutes: `sink.test:127.0.0.1:${sink.port}\n` },
  env: { WAYBILL_LOG_MIN_FREE_MIB: String(minFree) },
});

afterEach(async () => {
  await engine.kill('start', 'queue', 'door', 'remote', 'local');
  disk?.unmount();
  disk = undefined;
  await engine.remove();
  await sink.shut();
});

const logFile = () => join(engine.dataDir, 'log/waybill.db');
const logFiles = () => ['', '-wal', '-shm'].map((suffix) => logFile() + suffix);
const pidOf = (role: Role) => engine.pids().find((each) => each.role === role)!.pid;

const small = { from: 'demo@demo.test', to: ['a@sink.test'], body: 'Subject: small\r\n\r\nx\r\n' };
const large = { ...small, body: `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(3_000)}` };

/** Letters over a few sessions until `enough`. */
const send = (ledger: Ledger, enough: () => boolean, bodyBytes = 2_000, sessions = 8) =>
  load(ledger, {
    ...{ port: engine.port, sessions, from: 'demo@demo.test', bodyBytes },
    to: (n) => `u${n}@sink.test`,
    goOn: () => !enough(),
  });

/** What was under way at the far side has come to its end. */
async function calm(): Promise<void> {
  const seen = () => sink.transactions.length + sink.letters.length;
  for (let before = -1; before !== seen();) {
    before = seen();
    await sleep(1_000);
  }
}

/** The engine's own words, by the beginning of their message. */
const words = (message: string): string[] =>
  engine
    .output()
    .split('\n')
    .filter((line) => line.includes(`"msg":"${message}`));
const linesOf = (role: Role): string[] =>
  engine
    .output()
    .split('\n')
    .filter((line) => line.includes(`"role":"${role}"`));

/** Everything that got a 250 has arrived once, and the log says the same. */
async function expectAllDeliveredOnce(ledger: Ledger): Promise<readonly RecordedEvent[]> {
  engine.signal('SIGALRM');
  const arrived = () => new Set(sink.letters.map(({ body }) => tokenOf(body)));
  const missing = () => {
    const there = arrived();
    return [...ledger.accepted.keys()].filter((token) => !there.has(token));
  };
  await until(
    async () => {
      if (missing().length === 0) return true;
      engine.signal('SIGALRM');
      await sleep(200);
      return false;
    },
    'all letters to arrive',
    60_000,
  );
  await until(
    async () => JSON.parse((await engine.waybill('verify', '--json')).stdout).letters.open === 0,
    'all letters to be done',
  );
  const tokens = sink.letters.flatMap(({ body }) => tokenOf(body) ?? []);
  expect(tokens.filter((token, n) => tokens.indexOf(token) !== n)).toEqual([]);
  expect(await engine.waybill('verify')).toMatchObject({ code: 0 });
  const events = await readLog(engine.dataDir);
  const accepted = new Set(
    events.filter(({ type }) => type === 'MessageAccepted').map(({ stream }) => stream),
  );
  expect([...ledger.accepted.values()].filter((id) => !accepted.has(`message-${id}`))).toEqual([]);
  return events;
}

describe('a disk that is full', () => {
  withTmpfs(
    'turns letters away, holds deliveries up, and is forgiven when there is room',
    async () => {
      disk = tmpfsAt(engine.dataDir, 'size=16m');
      sink.answers = { data: () => '451 later' };
      await engine.start();
      disk.fill(8 * 1024 * 1024);
      const ledger = openLedger();
      await send(ledger, () => ledger.refused.size >= 20, 20_000);
      expect(ledger.accepted.size).toBeGreaterThan(20);
      disk.fill();

      expect(await handIn(engine.port, small)).toMatch(/^452 4\.3\.1 /);
      expect(await handIn(engine.port, large)).toMatch(/^452 4\.3\.1 /);
      await calm();
      sink.answers = {};
      engine.signal('SIGALRM');
      await sleep(2_500);
      expect(sink.letters).toEqual([]);
      expect(words('the log cannot be written')).toHaveLength(1);
      expect(linesOf('queue').length).toBeLessThan(4);
      const queue = await engine.waybill('queue', '--limit', '1');
      expect(queue.stdout).toMatch(/The log cannot be written since .*disk .* is full/);

      disk.free();
      await until(async () => (await handIn(engine.port, small)).startsWith('250'), 'a 250');
      const events = await expectAllDeliveredOnce(ledger);
      const [troubled] = events.filter(({ type }) => type === 'LogTroubled');
      expect(troubled!.data).toMatchObject({ code: 'log-full' });
      const recovered = events.find(({ type }) => type === 'LogRecovered');
      expect(recovered!.data).toEqual({ troubledAt: troubled!.at });
      expect(recovered!.at - troubled!.at).toBeGreaterThan(2_000);
      expect(words('the log can be written again').length).toBeGreaterThan(0);
    },
    240_000,
  );

  withTmpfs(
    'stops in order, starts with 452, and needs nobody when there is room',
    async () => {
      disk = tmpfsAt(engine.dataDir, 'size=16m');
      await engine.start();
      const first = await handIn(engine.port, small);
      await until(() => sink.letters.length === 1, 'the letter');
      disk.fill();
      const stopping = Date.now();
      await engine.stop();
      expect(Date.now() - stopping).toBeLessThan(20_000);
      expect(existsSync(join(engine.dataDir, 'checkpoints/agenda.new'))).toBe(false);

      await engine.start();
      expect(await handIn(engine.port, small)).toMatch(/^45[12] /);
      disk.free();
      await until(async () => (await handIn(engine.port, small)).startsWith('250'), 'a 250');
      // One that was answered with 451 for want of time may have been written all the same.
      await until(() => sink.letters.length >= 2, 'the second letter');
      const events = await readLog(engine.dataDir);
      expect(events.some(({ stream }) => stream === `message-${idIn(first)}`)).toBe(true);
      expect(events.filter(({ type }) => type === 'NodeStarted')).toHaveLength(2);
      expect(await engine.waybill('verify')).toMatchObject({ code: 0 });
    },
    240_000,
  );
});

describe('a disk that is nearly full', () => {
  withTmpfs(
    'turns letters away while those in the queue are delivered and make room',
    async () => {
      await engine.remove();
      engine = await makeEngine(optionsOf(6));
      disk = tmpfsAt(engine.dataDir, 'size=16m');
      sink.answers = { data: () => '451 later' };
      await engine.start();
      const ledger = openLedger();
      await send(ledger, () => ledger.refused.size >= 20, 20_000);
      expect(await handIn(engine.port, small)).toBe('452 4.3.1 disk full (#4.3.1)');
      expect(await handIn(engine.port, large)).toBe('452 4.3.1 disk full (#4.3.1)');
      sink.answers = {};
      await expectAllDeliveredOnce(ledger);
      // The room within the log's own file counts: nobody had to delete anything.
      await until(async () => (await handIn(engine.port, small)).startsWith('250'), 'a 250');
      expect(words('letters are turned away for want of room')).toHaveLength(1);
      expect(words('the log cannot be written')).toEqual([]);
    },
    240_000,
  );
});

describe('a disk that fails to sync', () => {
  withStrace(
    'ends all writing until a restart has looked the log over',
    async () => {
      await engine.start();
      sink.answers = { data: () => '451 later' };
      const ledger = openLedger();
      await send(ledger, () => ledger.accepted.size >= 50);
      const bad = await spoil(pidOf('queue'), 'fdatasync,fsync:error=EIO', [`${logFile()}-wal`]);
      await send(ledger, () => ledger.refused.size >= 20);
      await bad.mend();
      const accepted = ledger.accepted.size;
      const [file, wal] = [readFileSync(logFile()), readFileSync(`${logFile()}-wal`)];

      // The disk is sound again, and a sync would work; what it would be worth, nobody knows.
      for (const letter of [small, large]) {
        expect(await handIn(engine.port, letter)).toBe('451 4.3.0 log unavailable (#4.3.0)');
      }
      await sleep(2_000);
      expect(words('nothing is written to the log any more')).toHaveLength(1);
      expect(linesOf('queue').length).toBeLessThan(4);
      expect(words('a role died')).toEqual([]);
      const check = await engine.waybill('check');
      expect(check.stdout).toMatch(/warning: a sync of the log failed/);
      expect((await engine.waybill('queue', '--limit', '1')).stdout).toContain(
        'The log is not written any more since ',
      );
      await engine.stop();
      expect(readFileSync(logFile()).equals(file)).toBe(true);
      expect(readFileSync(`${logFile()}-wal`).equals(wal)).toBe(true);

      sink.answers = {};
      await engine.start();
      expect(ledger.accepted.size).toBe(accepted);
      const events = await expectAllDeliveredOnce(ledger);
      expect(events.filter(({ type }) => type === 'LogVerified')).toHaveLength(1);
      expect(existsSync(`${logFile()}.suspect`)).toBe(false);
      expect(await handIn(engine.port, small)).toMatch(/^250 /);
    },
    240_000,
  );

  withExt4(
    'for good ends with a repair: all that got a 250 is there',
    async () => {
      const ext4 = ext4At(engine.dataDir, 32);
      disk = ext4;
      await engine.start();
      sink.answers = { data: () => '451 later' };
      const ledger = openLedger();
      await send(ledger, () => ledger.accepted.size >= 50);
      ext4.fail();
      await send(ledger, () => ledger.refused.size >= 20);
      expect(await handIn(engine.port, small)).toMatch(/^451 4\.3\.0 /);
      await sleep(1_500);
      expect(linesOf('queue').length).toBeLessThan(6);
      await engine.stop();
      await ext4.repair();

      sink.answers = {};
      await engine.start();
      await expectAllDeliveredOnce(ledger);
    },
    240_000,
  );
});

describe('a disk that has less room than it says', () => {
  withExt4(
    'fails to sync what it took: nothing of that got a 250, and all else is really there',
    async () => {
      const thin = thinAt(engine.dataDir, 64, 12);
      disk = thin;
      sink.answers = { data: () => '451 later' };
      await engine.start();
      const ledger = openLedger();
      await send(ledger, () => ledger.refused.size >= 20, 20_000);
      expect(words('nothing is written to the log any more')).toHaveLength(1);
      await engine.stop();
      thin.grow();
      // Unmounted and mounted again: what only the kernel's memory held is gone.
      await thin.repair();
      sink.answers = {};
      await engine.start();
      await expectAllDeliveredOnce(ledger);
    },
    240_000,
  );
});

describe('a disk that cannot be written for a while', () => {
  withStrace.each([
    ['is read-only', 'pwrite64,ftruncate:error=EROFS'],
    ['fails every write', 'pwrite64,ftruncate:error=EIO'],
  ])(
    '(%s) makes letters wait outside, and all goes on by itself',
    async (_, inject) => {
      await engine.start();
      const ledger = openLedger();
      await send(ledger, () => ledger.accepted.size >= 20);
      const bad = await spoil(pidOf('queue'), inject, logFiles());
      await send(ledger, () => ledger.refused.size >= 10);
      expect(await handIn(engine.port, small)).toBe('451 4.3.0 log unavailable (#4.3.0)');
      await calm();
      const delivered = sink.letters.length;
      await sleep(1_500);
      expect(sink.letters).toHaveLength(delivered);
      expect(words('the log cannot be written')).toHaveLength(1);
      await bad.mend();
      await until(async () => (await handIn(engine.port, small)).startsWith('250'), 'a 250');
      const events = await expectAllDeliveredOnce(ledger);
      expect(events.some(({ type }) => type === 'LogRecovered')).toBe(true);
    },
    240_000,
  );
});

describe('a disk that cannot be read in places', () => {
  withStrace(
    'keeps those letters back, and no others',
    async () => {
      sink.answers = { data: () => '451 later' };
      await engine.start();
      const ledger = openLedger();
      await send(ledger, () => ledger.accepted.size >= 60, 20_000);
      await until(
        async () =>
          (await readLog(engine.dataDir)).filter(({ type }) => type === 'RecipientDeferred')
            .length >= ledger.accepted.size,
        'all letters to be deferred once',
      );
      // Nothing is remembered after a start: bodies and stories are read from the disk.
      await engine.stop();
      sink.answers = {};
      await engine.start();
      const bad = await spoil(pidOf('queue'), 'pread64:error=EIO:when=7+9', [logFile()]);
      engine.signal('SIGALRM');
      await until(() => sink.letters.length >= ledger.accepted.size / 3, 'letters in spite of it');
      await bad.mend();
      expect(await handIn(engine.port, small)).toMatch(/^250 /);
      await until(
        () => sink.letters.some(({ body }) => body.includes('Subject: small')),
        'a new letter',
      );
      await engine.stop();
      await engine.start();
      await expectAllDeliveredOnce(ledger);
    },
    240_000,
  );
});

describe('a disk that is slow', () => {
  withStrace(
    'slows the senders down, and loses nothing',
    async () => {
      await engine.start();
      const memory = () =>
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pidOf('queue')}/status`, 'utf8'))![1]);
      const before = memory();
      const slow = await spoil(pidOf('queue'), 'fdatasync,fsync:delay_enter=300000', [
        `${logFile()}-wal`,
      ]);
      const ledger = openLedger();
      const started = Date.now();
      const ms = () => Date.now() - started;
      await send(ledger, () => ms() > 4_000 && ledger.accepted.size > 100, 20_000, 100);
      // Each session waits for a sync of its letters: a hundred share the few there were.
      expect(ledger.accepted.size).toBeGreaterThan((3 * ms()) / 300);
      expect(ledger.refused.size).toBe(0);
      expect((memory() - before) / 1024).toBeLessThan(128);
      await slow.mend();
      await expectAllDeliveredOnce(ledger);
      expect(words('the log')).toEqual([]);
    },
    240_000,
  );
});
