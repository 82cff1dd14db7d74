/** An embedded log that stayed behind when its engine went to an event store. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { forgetLeft, markLeftLog, refuseLeftLog } from '../../src/composition/left-log.ts';
import { readConfig } from '../../src/control/config.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const config = (engine: 'sqlite' | 'kurrentdb') =>
  readConfig({
    ...{ dir: dir.path, data: dir.path },
    env: { WAYBILL_LOG_ENGINE: engine, WAYBILL_LOG_URL: 'kurrentdb://me:secret@db:2113' },
  });
const haveLog = () => {
  mkdirSync(dir.file('log'));
  writeFileSync(dir.file('log/waybill.db'), '');
};
const now = '2026-11-21T12:00:00.000Z';

describe('an engine that went to an event store', () => {
  it('does not start on the log that it left, and says where that log is now', () => {
    haveLog();
    expect(() => refuseLeftLog(config('sqlite'))).not.toThrow();
    markLeftLog(config('kurrentdb'), now);
    const told = () => refuseLeftLog(config('sqlite'));
    expect(told).toThrow(`${dir.file('log/waybill.db.left')}: this engine's log is since ${now}`);
    expect(told).toThrow(/kurrentdb:\/\/db:2113/);
    expect(told).not.toThrow(/secret/);
    expect(() => refuseLeftLog(config('kurrentdb'))).not.toThrow();
  });

  it('starts on it again when it has been brought back', () => {
    haveLog();
    markLeftLog(config('kurrentdb'), now);
    forgetLeft(dir.path);
    expect(() => refuseLeftLog(config('sqlite'))).not.toThrow();
  });

  it('leaves no mark where no log was', () => {
    markLeftLog(config('kurrentdb'), now);
    expect(existsSync(dir.file('log'))).toBe(false);
  });
});
