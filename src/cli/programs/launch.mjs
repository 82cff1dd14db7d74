#!/usr/bin/env node
/**
 * Every small program as it is installed: the name it is called by says which. Plain JavaScript, because
 * the node that a shell finds may be older than the one that this package brings along; it then hands
 * over to that one. `launch.mjs NAME …` calls one by name.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver, isNewEnough } from '../newer-node.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Other names that a program is known by. */
const links = { mailq: 'sendmail' };

const self = basename(fileURLToPath(import.meta.url));
if (basename(process.argv[1]) === self) process.argv.splice(1, 1);
const name = basename(process.argv[1] ?? '');

if (isNewEnough) await run();
else await handOver(name, here(`./${self}`), [name, ...process.argv.slice(2)]);

async function run() {
  const file = Object.hasOwn(links, name) ? links[name] : name;
  const built = here(`../../../dist/src/cli/programs/${file}.js`);
  const program = existsSync(built) ? built : here(`./${file}.ts`);
  if (!/^[a-z0-9-]+$/.test(file) || !existsSync(program)) {
    console.error(`${self}: there is no program ${name}`);
    process.exit(100);
  }
  const { rememberCompiled } = await import('../compiled.mjs');
  rememberCompiled();
  await import(program);
}
