/**
 * Makes the next call quicker, and this one where it can: code that was compiled once is found again.
 * Plain JavaScript, like those who load it first: what comes before it is compiled at each call.
 *
 * What lies in such a cache is run. So a user's own is used only where nobody else can write, whatever
 * HOME says (`sudo` may leave it another's); what all share, only where the program itself lies.
 */
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import * as module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const others = 0o022;
const sticky = 0o1000;

/**
 * Without types already, for whoever has no cache of his own: the engine puts it there at its start
 * (`strip-sources.ts`). As new as its source, or it is not used.
 */
const strippedFolder = '../../node_modules/.cache/waybill/stripped/';

export function rememberCompiled() {
  useStripped();
  // For this call only: not for the programs that are called from it.
  if (process.env.NODE_COMPILE_CACHE !== undefined) delete process.env.NODE_COMPILE_CACHE;
  else {
    const caches = ownCaches();
    if (caches !== undefined) module.enableCompileCache(join(caches, 'waybill'));
  }
}

/** The user's own folder for such things, where he has one and nobody else can put anything into it. */
function ownCaches() {
  try {
    const caches = realpathSync(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'));
    return isOurs(caches) ? caches : undefined;
  } catch {
    return undefined;
  }
}

/** `path` is ours, and so is everything above it, or root's: nobody can put another folder in its place. */
function isOurs(path) {
  const uid = process.geteuid?.();
  const mayWrite = ({ mode }) => (mode & others) !== 0;
  const own = lstatSync(path);
  if (own.uid !== uid || mayWrite(own)) return false;
  for (let at = path; at !== dirname(at);) {
    at = dirname(at);
    const above = lstatSync(at);
    if (![0, uid].includes(above.uid)) return false;
    if (mayWrite(above) && (above.mode & sticky) === 0) return false;
  }
  return true;
}

/** Whoever could put something there could change the program itself, or is one of those whom we trust. */
function isTrusted(folder) {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined || (found.mode & others) !== 0) return false;
  return [0, process.geteuid?.(), statSync(fileURLToPath(import.meta.url)).uid].includes(found.uid);
}

/** Types are stripped by node, anew at each call, which takes longer than most of our programs. */
function useStripped() {
  const folder = fileURLToPath(new URL(strippedFolder, import.meta.url));
  const root = new URL('../../', import.meta.url).href;
  if (module.registerHooks === undefined || !isTrusted(folder)) return;
  module.registerHooks({
    load(url, context, next) {
      const source = url.startsWith(root) && url.endsWith('.ts') ? read(url) : undefined;
      return source === undefined
        ? next(url, context)
        : { format: 'module', source, shortCircuit: true };
    },
  });
  const read = (url) => {
    const path = fileURLToPath(url);
    const stripped = join(folder, url.slice(root.length));
    try {
      const as = statSync(stripped);
      const now = statSync(path);
      // Dates are whole milliseconds.
      const isOfIt = Math.abs(as.mtimeMs - now.mtimeMs) < 1;
      return isOfIt ? readFileSync(stripped) : undefined;
    } catch {
      return undefined;
    }
  };
}
