/** `waybill desk`, as a person runs it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openTickets } from '../../src/desk/guard/one-time-links.ts';
import { isPassword, parsePasswordHash } from '../../src/platform/password-hash.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');

let dir: TempDir;
beforeAll(() => {
  dir = tempDir();
  mkdirSync(dir.file('data/desk'), { recursive: true });
});
afterAll(() => dir.remove());

const desk = (input: string, ...args: string[]) => {
  const places = ['--config', dir.path, '--data', dir.file('data')];
  const all = ['--disable-warning=ExperimentalWarning', main, ...places, 'desk', ...args];
  return spawnSync(process.execPath, all, { encoding: 'utf8', input });
};

describe('the password of the desk', () => {
  it('is set from the first line of stdin, kept as a hash for its owner alone, and taken away', async () => {
    expect(desk('correct horse\nmore\n', 'password').status).toBe(0);
    const file = dir.file('desk.password');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const hash = parsePasswordHash(readFileSync(file, 'utf8'))!;
    expect(await isPassword('correct horse', hash)).toBe(true);
    const refused = desk('short\n', 'password');
    expect([refused.status, refused.stderr]).toEqual([100, expect.stringContaining('8 to')]);
    expect(await isPassword('correct horse', parsePasswordHash(readFileSync(file, 'utf8'))!)).toBe(
      true,
    );
    expect(desk('', 'password', '--remove').status).toBe(0);
    expect(existsSync(file)).toBe(false);
  });
});

describe('a link into the desk', () => {
  it('is made with the token, and says what is missing without one', () => {
    const without = desk('', 'link');
    expect([without.status, without.stderr]).toEqual([111, expect.stringContaining('desk/token')]);
    writeFileSync(dir.file('data/desk/token'), 'the token of this test\n');
    const url = new URL(desk('', 'link').stdout);
    expect(url.href).toMatch(/^http:\/\/127\.0\.0\.1:8025\/enter\?ticket=/);
    expect(
      openTickets('the token of this test').use(url.searchParams.get('ticket')!, Date.now()),
    ).toBe(true);
  });
});
