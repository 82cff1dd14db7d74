/** What earlier calls have compiled is used only where nobody else could have put it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stripSources } from '../../src/composition/roles/strip-sources.ts';

const compiled = resolve(import.meta.dirname, '../../src/cli/compiled.mjs');
const asRoot = process.geteuid?.() === 0 ? it : it.skip;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'waybill-home-'));
  mkdirSync(join(home, '.cache'), { mode: 0o700 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Where a program that is called with this home keeps what it compiles. */
function cacheOf(env: Readonly<Record<string, string>> = {}): string {
  const script = `
    import { getCompileCacheDir } from 'node:module';
    const { rememberCompiled } = await import(${JSON.stringify(compiled)});
    rememberCompiled();
    console.log(getCompileCacheDir() ?? 'none');`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  const { stdout } = spawnSync(process.execPath, args, {
    env: { HOME: home, ...env },
    encoding: 'utf8',
  });
  return stdout.trim();
}

describe('a program', () => {
  it("keeps what it compiles in the user's own cache, where there is one", () => {
    expect(cacheOf()).toContain(join(home, '.cache/waybill/'));
    rmSync(join(home, '.cache'), { recursive: true });
    expect(cacheOf()).toBe('none');
  });
  it('uses none that others can write to', () => {
    chmodSync(join(home, '.cache'), 0o770);
    expect(cacheOf()).toBe('none');
  });
  it('uses none in a folder where others can put another in its place', () => {
    chmodSync(home, 0o777);
    expect(cacheOf()).toBe('none');
  });
  asRoot("uses none of another user's, whatever HOME says", () => {
    chownSync(home, 1_234, 1_234);
    expect(cacheOf()).toBe('none');
    chownSync(home, 0, 0);
    chownSync(join(home, '.cache'), 1_234, 1_234);
    expect(cacheOf()).toBe('none');
    // Nor by a link to one that is ours.
    mkdirSync(join(home, 'theirs'));
    renameSync(join(home, '.cache'), join(home, 'theirs/.cache'));
    symlinkSync(join(home, 'theirs/.cache'), join(home, '.cache'));
    expect(cacheOf()).toBe('none');
  });
});

describe('the sources without their types', () => {
  const file = (path: string) => join(home, path);
  beforeEach(() => {
    mkdirSync(file('src/mail'), { recursive: true });
    mkdirSync(file('projections'));
    writeFileSync(file('src/mail/a.ts'), 'export const a: number = 1;\n');
  });
  it('are as old as their sources, readable by all, and made again when these change', async () => {
    await stripSources(home, file('into'));
    const target = file('into/src/mail/a.ts');
    expect(readFileSync(target, 'utf8')).toMatch(/^export const a {9}= 1;\n$/);
    const { mode, mtimeMs, ino } = statSync(target);
    expect(mode & 0o777).toBe(0o644);
    expect(Math.abs(mtimeMs - statSync(file('src/mail/a.ts')).mtimeMs)).toBeLessThan(1);
    await stripSources(home, file('into'));
    expect(statSync(target).ino).toBe(ino);
    // Some file systems count in hundredths of a second.
    do {
      await new Promise((done) => setTimeout(done, 5));
      writeFileSync(file('src/mail/a.ts'), 'export const a: number = 2;\n');
    } while (statSync(file('src/mail/a.ts')).mtimeMs < mtimeMs + 1);
    await stripSources(home, file('into'));
    expect(readFileSync(target, 'utf8')).toContain('= 2');
  });
});
