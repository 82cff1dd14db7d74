/**
 * What `import … from 'waybill'` loads: the built code of a package, or in a clone the source itself, which
 * node runs as it is. Types: `waybill.d.mts` beside it.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../../dist/src/api/open-log.js', import.meta.url);
const source = new URL('./open-log.ts', import.meta.url);

export const { openLog } = await import((existsSync(fileURLToPath(built)) ? built : source).href);
