import { describe, expect, it } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLogger } from '../../src/platform/logger.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('the log of the engine itself', () => {
  it('says who speaks, one JSON value per line', () => {
    const directory = mkdtempSync(join(tmpdir(), 'waybill-logger-'));
    const fd = openSync(join(directory, 'said'), 'w');
    openLogger('queue', 'info', fd).warn({ attempts: 2 }, 'attempts in doubt');
    closeSync(fd);
    const said = JSON.parse(readFileSync(join(directory, 'said'), 'utf8')) as object;
    rmSync(directory, { recursive: true });
    expect(said).toMatchObject({ role: 'queue', attempts: 2, msg: 'attempts in doubt' });
  });

  it('loses a line rather than the engine when the disk it goes to is full', async () => {
    const fd = openSync('/dev/full', 'w');
    const logger = openLogger('queue', 'info', fd);
    logger.error({}, 'nobody will read this');
    await nextTurn();
    expect(() => logger.error({}, 'nor this')).not.toThrow();
    await nextTurn();
    closeSync(fd);
  });
});
