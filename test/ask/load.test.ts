import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tempDir } from '../support/temp-dir.ts';

const folder = tempDir();
afterAll(() => folder.remove());

describe('a file that waits for what never comes before it exports its question', () => {
  it('is refused like any other that cannot be loaded, and the process lives on', () => {
    const file = folder.file('waits.mjs');
    writeFileSync(file, 'await new Promise(() => undefined);\n');
    const load = pathToFileURL(resolve(import.meta.dirname, '../../src/ask/load.ts')).href;
    const script = `
      const { loadOne } = await import(${JSON.stringify(load)});
      const loading = { folders: [${JSON.stringify(folder.path)}], withinMs: 50 };
      console.log(JSON.stringify(await loadOne('waits', loading)));`;
    // A process of its own: nothing else may keep it alive.
    const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect([ran.status, JSON.parse(ran.stdout)]).toEqual([
      0,
      { file, why: 'it was not loaded within 50 ms: it waits for something' },
    ]);
  });
});
