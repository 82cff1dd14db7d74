import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('../support/channel-child.ts', import.meta.url));

describe('the process that keeps the roles', () => {
  it('outlives what a role that was broken into writes to it, and no mistake of its own', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [child], {
      ...{ encoding: 'utf8', timeout: 20_000 },
    });
    expect(stdout.split('\n')).toEqual([
      ...Array.from({ length: 3 }, () => 'trouble: SyntaxError'),
      ...['heard: {"type":"ready"}', 'alive', ''],
    ]);
    expect(stderr).toContain('a mistake of our own');
    expect(status).toBe(1);
  });
});
