/**
 * The sources of a clone without their types, for programs that are called by users who have no cache of
 * their own: node strips types at each call, which takes longer than most of our programs do.
 * `cli/compiled.mjs` reads them. Made where the program itself lies, by whoever may write there, since
 * what lies there is run; anew for each source that has changed. A package has no types to strip.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const home = fileURLToPath(new URL('../../../', import.meta.url));
const isClone = import.meta.url.endsWith('.ts');

/** Where node keeps what may be thrown away. */
const folder = 'node_modules/.cache/waybill/stripped';

/** A source at a time, so that deliveries do not wait for it. Rejects with what the system says. */
export async function stripSources(root = home, into = join(root, folder)): Promise<void> {
  if (!isClone) return;
  for (const top of ['src', 'projections']) {
    for (const name of readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue;
      if (stripOne(join(root, top, name), join(into, top, name))) await setImmediate();
    }
  }
}

/** As old as its source: that is how its reader knows that it is of that source. */
function stripOne(source: string, target: string): boolean {
  const { mtime, mtimeMs } = statSync(source);
  const there = statSync(target, { throwIfNoEntry: false });
  if (there !== undefined && Math.abs(there.mtimeMs - mtimeMs) < 1) return false;
  // Everybody may read it, whatever a role's files are like else.
  const umask = process.umask(0o022);
  try {
    mkdirSync(dirname(target), { recursive: true });
    const fresh = `${target}.${process.pid}`;
    writeFileSync(fresh, stripTypeScriptTypes(readFileSync(source, 'utf8')));
    utimesSync(fresh, mtime, mtime);
    renameSync(fresh, target);
  } finally {
    process.umask(umask);
  }
  return true;
}
