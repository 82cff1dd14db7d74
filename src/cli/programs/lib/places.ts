/**
 * Where small programs find the engine: `WAYBILL_DATA` and `WAYBILL_CONFIG`, else where an installation
 * keeps them, else beside the program, as in a clone. Never the working directory: whoever owns that
 * could take a stranger's mail.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claimedUser } from '../../../ingress/inject/settings.ts';
import type { Environment } from './program.ts';

export type Places = { readonly config: string; readonly data: string };

/** Absolute: the way to the engine changes the working directory. */
export const placesOf = (env: Environment): Places => ({
  config: resolve(env['WAYBILL_CONFIG'] || firstOf('/etc/waybill', 'config')),
  data: resolve(env['WAYBILL_DATA'] || firstOf('/var/lib/waybill', 'data')),
});

/** One that restarts is back by then. */
const defaultPatienceS = 10;

/** How long to wait for an engine that is away: `WAYBILL_PATIENCE`, seconds. */
function patienceMsOf(env: Environment): number {
  const seconds = Number(env['WAYBILL_PATIENCE'] || defaultPatienceS);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : defaultPatienceS * 1000;
}

/** What the way to the engine needs to know. */
export const engineParts = (env: Environment) => ({
  places: placesOf(env),
  user: claimedUser(env),
  patienceMs: patienceMsOf(env),
});

const firstOf = (installed: string, inClone: string): string =>
  existsSync(installed) ? installed : `${home()}${inClone}`;

/** Four folders up from here in a clone; a bundle lies elsewhere, but below the package as well. */
function home(): string {
  for (let up = new URL('.', import.meta.url); ; up = new URL('..', up)) {
    if (existsSync(new URL('package.json', up))) return fileURLToPath(up);
    if (up.pathname === '/') return fileURLToPath(new URL('../../../../', import.meta.url));
  }
}
