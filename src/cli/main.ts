/**
 * Where the command line begins. Nothing is imported here: code that was compiled by an earlier call is
 * taken from the user's cache, and that must be said before the code is asked for.
 */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// In a folder of the user's own, never a shared one: what lies there is run.
const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
if (process.env['NODE_COMPILE_CACHE'] === undefined) enableCompileCache(join(caches, 'waybill'));
await import('./program.ts');
