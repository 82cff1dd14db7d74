#!/usr/bin/env node
/**
 * The command as it is installed. Plain JavaScript, because the node that a shell finds may be older
 * than the one that this package brings along; it then hands over to that one.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { handOver, isNewEnough } from './newer-node.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (isNewEnough) {
  const built = here('../../dist/src/cli/program.js');
  const program = existsSync(built) ? built : here('./program.ts');
  const { rememberCompiled } = await import('./compiled.mjs');
  rememberCompiled();
  await import(program);
} else {
  await handOver('waybill', here('./waybill.mjs'), process.argv.slice(2));
}
