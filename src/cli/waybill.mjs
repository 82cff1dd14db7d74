#!/usr/bin/env node
/**
 * The command as it is installed. Plain JavaScript, because the node that a shell finds may be older
 * than the one that this package brings along; it then hands over to that one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const wanted = 24;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const built = here('../../dist/src/cli/main.js');
const main = existsSync(built) ? built : here('./main.ts');

if (Number(process.versions.node.split('.')[0]) >= wanted) {
  await import(main);
} else {
  const own = here('../../node_modules/.bin/node');
  if (!existsSync(own)) {
    console.error(`waybill: needs node ${wanted} or newer; this is ${process.version}`);
    process.exit(111);
  }
  const { status, signal } = spawnSync(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(status ?? (signal ? 111 : 0));
}
