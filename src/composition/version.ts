import { readFileSync } from 'node:fs';

/** This release, as package.json has it. */
export const version: string = (
  JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }
).version;

/** Beside `src/`, and beside `dist/src/` once built. */
function packageFile(): URL {
  const here = new URL('../../package.json', import.meta.url);
  return here.pathname.includes('/dist/')
    ? new URL('../../../package.json', import.meta.url)
    : here;
}
