import { beforeEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, Subject } from 'rxjs';
import {
  isHopeless,
  refusalOf,
  surely,
  unlessTold,
  watchLog,
} from '../../src/composition/log-watch.ts';
import { nodeStream, openNodeLog, type NodeLog } from '../../src/control/node-log.ts';
import type { LogHealth } from '../../src/log/health.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { Trouble } from '../../src/mail/trouble.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { silentLogger, type Logger } from '../../src/platform/logger.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { birth } from '../support/queue-mail.ts';

const full = new Trouble('log-full', { tryAgain: true, peer: 'disk full (#4.3.1)' });
const brokenLog = new Trouble('log-broken', { tryAgain: true, peer: 'no' });

let clock: ManualClock;
let log: FaultyLog;
let isFull: boolean;
let hasRoom: boolean;
let node: NodeLog;
let troubles$: Subject<Trouble>;
let health: LogHealth;
let said: string[];

beforeEach(() => {
  clock = new ManualClock(birth);
  isFull = true;
  log = new FaultyLog(new MemoryLog(), () => (isFull ? 'full' : 'none'));
  node = openNodeLog(log, 'here', clock);
  troubles$ = new Subject();
  said = [];
  const logger: Logger = {
    ...silentLogger,
    info: (_, message) => void said.push(message),
    error: (_, message) => void said.push(message),
  };
  hasRoom = true;
  health = watchLog({ troubles$, node, hasRoom: () => hasRoom, clock, logger });
});

const story = async () =>
  (await log.inner.readStream(nodeStream('here', birth))).map(
    ({ type, at, data }) => `${at - birth} ${type} ${JSON.stringify(data)}`,
  );
const pass = async (ms: number) => {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

describe('a disk that was full from five to nine', () => {
  it('is two events of the node when it can be written again, each with its time', async () => {
    clock.advance(5_000);
    troubles$.next(full);
    await pass(3_000);
    expect(await story()).toEqual([]);
    isFull = false;
    await pass(1_000);
    expect(await story()).toEqual([
      '5000 LogTroubled {"code":"log-full","what":"disk full (#4.3.1)"}',
      `9000 LogRecovered {"troubledAt":${birth + 5_000}}`,
    ]);
    expect(said).toHaveLength(2);
    expect(health.trouble).toBeUndefined();
  });

  it('is full as long as there is room for a word and not for a letter', async () => {
    hasRoom = false;
    isFull = false;
    troubles$.next(full);
    await pass(3_000);
    expect([await story(), health.trouble?.cause]).toEqual([[], full]);
    hasRoom = true;
    await pass(1_000);
    expect(health.trouble).toBeUndefined();
  });

  it('that is full again between the two tells of its beginning once', async () => {
    let appends = 0;
    log.fault = () => ((appends += 1) === 2 ? 'full' : 'none');
    troubles$.next(full);
    await pass(3_000);
    expect((await story()).map((line) => line.split(' ')[1])).toEqual([
      'LogTroubled',
      'LogRecovered',
    ]);
  });

  it('lets what must be written wait, and writes it once', async () => {
    const told = surely(health, () =>
      node.tell({ type: 'NodeStopped', data: { why: '', open: 0 } }),
    );
    await pass(2_000);
    isFull = false;
    await pass(1_000);
    await told;
    expect((await story()).filter((line) => line.includes('NodeStopped'))).toHaveLength(1);
  });
});

describe('what must be written and fails for another reason', () => {
  it('is told at once', async () => {
    const bug = new Error('a bug');
    await expect(surely(health, () => Promise.reject(bug))).rejects.toBe(bug);
    expect(health.trouble).toBeUndefined();
  });
});

describe('while the log is in trouble', () => {
  it('what follows from it is not told again; all else is', () => {
    const told: unknown[] = [];
    const tell = unlessTold(health, (cause) => told.push(cause));
    const other = new Trouble('body-missing', { tryAgain: true, peer: '' });
    tell(full);
    troubles$.next(full);
    [full, brokenLog, other].forEach(tell);
    expect(told).toEqual([full, other]);
  });

  it('letters hear why, before the disk is asked for room', async () => {
    let asked = 0;
    const little = new Trouble('log-full', { tryAgain: true, peer: 'little' });
    const refusal = refusalOf(health, () => ((asked += 1), little), silentLogger);
    expect(refusal()).toBe(little);
    troubles$.next(brokenLog);
    expect(refusal()).toBe(brokenLog);
    expect(asked).toBe(1);
    expect(await firstValueFrom(health.trouble$)).toMatchObject({ cause: brokenLog });
  });
});

describe('too little room', () => {
  it('is told when letters are turned away, and when it is over, once each', () => {
    const said: string[] = [];
    const say = (_: unknown, words: string) => void said.push(words);
    const logger = { ...silentLogger, info: say, warn: say } as Logger;
    let little: Trouble | undefined = full;
    const refusal = refusalOf(health, () => little, logger);
    expect([refusal(), refusal()]).toEqual([full, full]);
    little = undefined;
    expect([refusal(), refusal()]).toEqual([undefined, undefined]);
    little = full;
    refusal();
    little = undefined;
    refusal();
    expect(said).toEqual([
      'letters are turned away for want of room',
      'there is room for letters again',
    ]);
  });
});

describe('whoever stops', () => {
  it.each([
    ['waits for verdicts as ever when all is well', undefined, 0, 60_000, false],
    ['gives a full disk a few seconds', full, 0, 5_000, false],
    ['and no more', full, 0, 5_001, true],
    ['counted from the stop, not from the trouble', full, 60_000, 64_000, false],
    ['gives a broken log none', brokenLog, 0, 0, true],
  ])('%s', (_, cause, stoppedAt, now, hopeless) => {
    const trouble = cause === undefined ? undefined : { cause, since: 0 };
    expect(isHopeless(trouble, stoppedAt, now)).toBe(hopeless);
  });
});
