/**
 * Where the command line begins. Nothing is imported here: code that was compiled by an earlier call is
 * found again, and that must be said before the code is asked for. `waybill.mjs` says it sooner.
 */
import { existsSync } from 'node:fs';

const here = new URL('./compiled.mjs', import.meta.url);
const compiled = existsSync(here)
  ? here
  : new URL('../../../src/cli/compiled.mjs', import.meta.url);
const { rememberCompiled } = (await import(compiled.href)) as { rememberCompiled: () => void };
rememberCompiled();
await import('./program.ts');
