/** `sendmail -bp` and mailq: what qmail-qread prints, where it is there, else `waybill queue`. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exitTryLater } from '../../exit-codes.ts';
import { placesOf } from './places.ts';
import type { Environment } from './program.ts';

export function listQueue(env: Environment): Promise<number> {
  const { config, data } = placesOf(env);
  const reader = find('../qmail-qread');
  const command =
    reader === undefined
      ? [find('../../main')!, '--config', config, '--data', data, 'queue']
      : [reader];
  return new Promise((resolve, reject) => {
    const args = ['--disable-warning=ExperimentalWarning', ...command];
    const child = spawn(process.execPath, args, {
      stdio: 'inherit',
      env: { ...env, WAYBILL_CONFIG: config, WAYBILL_DATA: data },
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? exitTryLater));
  });
}

/** `.ts` in a clone, `.js` once built. */
const find = (name: string): string | undefined =>
  ['.ts', '.js']
    .map((ending) => fileURLToPath(new URL(name + ending, import.meta.url)))
    .find((path) => existsSync(path));
