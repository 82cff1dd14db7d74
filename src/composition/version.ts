import { readFileSync } from 'node:fs';

/** This release, as package.json has it. */
export const version: string = (
  JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }
).version;

/** Beside `src/`, and beside `dist/src/` once built. */
function packageFile(): URL {
  const isBuilt = !import.meta.url.endsWith('.ts');
  return new URL(isBuilt ? '../../../package.json' : '../../package.json', import.meta.url);
}
