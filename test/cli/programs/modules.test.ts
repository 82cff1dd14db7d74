/**
 * What a program loads before it works: that is what its caller waits for, and it can be counted.
 * A number that has to grow here is worth a look: can the new part be loaded where it is needed?
 */
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const programs = resolve(import.meta.dirname, '../../../src/cli/programs');

/** Every program is linked with all that it imports; its own file does not run. */
const script = `
import { registerHooks } from 'node:module';
const names = JSON.parse(process.argv[1]);
const graph = new Map();
const kept = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (!graph.has(context.parentURL)) graph.set(context.parentURL, new Set());
    graph.get(context.parentURL).add(found.url);
    return found;
  },
  load(url, context, next) {
    const loaded = next(url, context);
    // Nothing runs: a program's file is linked with all it imports, and then throws.
    return names.includes(url) ? { ...loaded, source: 'throw 0;\\n' + String(loaded.source).replace(/^#!/, '//') } : loaded;
  },
});
for (const name of names) await import(name).catch((cause) => { if (cause !== 0) throw cause; });
const reach = (url, seen = new Set()) => {
  for (const next of graph.get(url) ?? []) if (!seen.has(next)) { seen.add(next); reach(next, seen); }
  return seen;
};
console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, [...reach(name)]]))));
`;

const urls = readdirSync(programs)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `file://${join(programs, name)}`);
const { stdout, stderr } = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
    '--',
    JSON.stringify(urls),
  ],
  { encoding: 'utf8', cwd: programs },
);
if (stdout === '') throw new Error(stderr);
const loaded = JSON.parse(stdout) as Readonly<Record<string, readonly string[]>>;
const nameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1, -'.ts'.length);

/** Files of ours; who delivers needs more. */
const most: Readonly<Record<string, number>> = { 'qmail-local': 65, 'qmail-remote': 60 };
/** The libraries that it may load. */
const libraries: Readonly<Record<string, RegExp>> = {
  'qmail-newu': /\/smol-toml\//,
  'qmail-pw2u': /\/smol-toml\//,
  'qmail-showctl': /\/smol-toml\//,
  'qmail-remote': /\/(smol-toml|nodemailer)\//,
};

describe('a small program', () => {
  it.each(Object.keys(loaded).map((url) => [nameOf(url), loaded[url]!] as const))(
    'loads no more than its work needs: %s',
    (name, modules) => {
      const own = modules.filter(
        (url) => /\/(src|projections)\//.test(url) && !/node_modules/.test(url),
      );
      expect(own.length).toBeLessThanOrEqual(most[name] ?? 42);
      const foreign = modules.filter((url) => url.includes('/node_modules/'));
      expect(foreign.filter((url) => !libraries[name]?.test(url))).toEqual([]);
    },
  );
});
