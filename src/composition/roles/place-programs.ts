/**
 * The small programs as a folder of commands, so that users' .qmail files find them by name: `|preline procmail`.
 * A command is three lines of shell, which know this node and this copy of the program; it works in a
 * clone and once installed, whatever else the machine has under these names.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const programs = fileURLToPath(new URL('../../cli/programs/', import.meta.url));

/** Names besides those of the files. */
const links = ['mailq'];

export const programNames = (directory = programs): readonly string[] =>
  readdirSync(directory)
    .filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith('.d.ts'))
    .map((name) => name.slice(0, -3))
    .concat(links);

/**
 * Fills `directory`, which only whoever we run as may write to: what lies there is run as any user. Each
 * command is made anew at each start, and is whole at any time, since deliveries may be under way.
 */
export function placePrograms(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const names = new Set(programNames());
  for (const name of names) {
    const path = join(directory, name);
    writeFileSync(`${path}.new`, commandText(name));
    chmodSync(`${path}.new`, 0o755);
    renameSync(`${path}.new`, path);
  }
  // Of another release.
  for (const name of readdirSync(directory)) {
    if (!names.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** In a clone (`.ts`) as in the package: the folder of programs has one launcher, beside the source. */
const launcher = ['launch.mjs', '../../../../src/cli/programs/launch.mjs']
  .map((path) => join(programs, path))
  .find((path) => existsSync(path))!;

/** An unprivileged engine's programs run as the engine does, and may share what it has compiled. */
function commandText(name: string): string {
  const cache = process.geteuid?.() === 0 ? undefined : getCompileCacheDir();
  const told = cache === undefined ? '' : `export NODE_COMPILE_CACHE=${quoted(dirname(cache))}\n`;
  const words = [process.execPath, '--disable-warning=ExperimentalWarning', launcher, name];
  return `#!/bin/sh\n# Made by waybill at each start.\n${told}exec ${words.map(quoted).join(' ')} "$@"\n`;
}

/** As one word for the shell, whatever is in it. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
