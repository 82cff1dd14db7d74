/** Whoever runs in a data directory has it alone, wherever the log is. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Container } from 'inversify';
import { mkdirSync } from 'node:fs';
import { nodesModule } from '../../src/composition/nodes.module.ts';
import * as t from '../../src/composition/tokens.ts';
import type { Config } from '../../src/control/config.ts';
import { lockDirectory } from '../../src/log/sqlite/lock.ts';
import { alone } from '../../src/nodes/alone.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

const before = process.cwd();
let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
  process.chdir(dir.path);
  mkdirSync('checkpoints');
});
afterEach(() => {
  process.chdir(before);
  dir.remove();
});

it('an engine whose log is a file does not begin beside one whose log is in an event store', () => {
  const container = new Container();
  container.load(nodesModule({ log: { engine: 'sqlite' } as Config['log'] }));
  const other = lockDirectory('checkpoints/nodes.lock');
  expect(() => container.get(t.Nodes)).toThrow(/another engine runs in this data directory/);
  other.release();
  expect(container.get(t.Nodes)).toBe(alone);
});
