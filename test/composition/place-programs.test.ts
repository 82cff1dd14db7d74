import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { placePrograms, programNames } from '../../src/composition/roles/place-programs.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let bin: string;
beforeEach(() => {
  dir = tempDir();
  bin = dir.file("it's a bin");
});
afterEach(() => dir.remove());

const run = (command: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    ...{ encoding: 'utf8', input: 'Subject: x\n', cwd: dir.path },
    env: { PATH: `${bin}:${process.env['PATH']}`, HOME: dir.path, WAYBILL_DATA: dir.file('none') },
  });
  return { status, stdout, stderr };
};

describe('the folder of programs', () => {
  it('has every program as a command of its own name', () => {
    placePrograms(bin);
    expect(readdirSync(bin).sort()).toEqual([...programNames()].sort());
    for (const name of ['preline', 'condredirect', 'forward', 'qmail-local', 'mailq']) {
      expect(statSync(`${bin}/${name}`).mode & 0o777).toBe(0o755);
    }
    expect(run('bouncesaying', "it's full", 'except', 'true')).toEqual({
      ...{ status: 0, stdout: '', stderr: '' },
    });
    expect(run('bouncesaying', "it's full", 'grep', '-q', 'Subject')).toEqual({
      ...{ status: 100, stdout: '', stderr: "it's full\n" },
    });
    expect(run('mailq')).toMatchObject({ status: 111 });
  });
  it('is made anew: what was left or changed there is gone', () => {
    mkdirSync(bin);
    writeFileSync(`${bin}/preline`, 'evil');
    chmodSync(`${bin}/preline`, 0o777);
    writeFileSync(`${bin}/of-another-release`, '');
    mkdirSync(`${bin}/folder`);
    writeFileSync(dir.file('elsewhere'), 'mine');
    symlinkSync(dir.file('elsewhere'), `${bin}/except`);
    placePrograms(bin);
    expect(readdirSync(bin).sort()).toEqual([...programNames()].sort());
    expect(statSync(`${bin}/preline`).mode & 0o777).toBe(0o755);
    expect(statSync(dir.file('elsewhere')).size).toBe(4);
  });
});

describe('the launcher', () => {
  const launcher = resolve(import.meta.dirname, '../../src/cli/programs/launch.mjs');
  it('runs the program that it is called as', () => {
    mkdirSync(bin);
    symlinkSync(launcher, `${bin}/except`);
    expect(
      run(process.execPath, '--disable-warning=ExperimentalWarning', `${bin}/except`, 'true'),
    ).toMatchObject({ status: 100, stderr: '' });
  });
  it.each(['', 'nothing', '../main', 'lib/main', 'constructor'])('knows no program %j', (name) => {
    expect(run(process.execPath, launcher, name).status).toBe(100);
  });
});
