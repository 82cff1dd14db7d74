#!/usr/bin/env node
/**
 * The command as it is installed. Plain JavaScript, because the node that a shell finds may be older
 * than the one that this package brings along; it then hands over to that one.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const wanted = 24;
/** Of node's own parts that are new. */
const quietly = ['--disable-warning=ExperimentalWarning'];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const built = here('../../dist/src/cli/program.js');
const program = existsSync(built) ? built : here('./program.ts');

if (Number(process.versions.node.split('.')[0]) >= wanted) {
  const { rememberCompiled } = await import('./compiled.mjs');
  rememberCompiled();
  await import(program);
} else {
  const { spawn } = await import('node:child_process');
  const own = here('../../node_modules/.bin/node');
  if (!existsSync(own)) {
    console.error(`waybill: needs node ${wanted} or newer; this is ${process.version}`);
    process.exit(111);
  }
  const child = spawn(own, [...quietly, here('./waybill.mjs'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // Whoever supervises us knows our number only. A terminal says INT to both of us.
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGALRM'])
    process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => undefined);
  child.on('error', ({ message }) => {
    console.error(`waybill: ${own} cannot be started: ${message}`);
    process.exit(111);
  });
  child.on('exit', (status, signal) => process.exit(status ?? (signal ? 111 : 0)));
}
