/** qmail-queue on descriptors that are not there: a letter from nowhere would be an empty one. */
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../../src/cli/programs/lib/was-closed.ts', import.meta.url));
const say = `import(${JSON.stringify(file)}).then(({ wasClosed }) => console.log(wasClosed(0)))`;

const asked = (redirection: string): string =>
  spawnSync('/bin/sh', ['-c', `"$0" -e "$1" ${redirection}`, process.execPath, say, file], {
    encoding: 'utf8',
  }).stdout.trim();

describe('a standard descriptor', () => {
  const told = existsSync('/proc/self/fdinfo/0') ? it.each : it.skip.each;
  told([
    ['0<&-', 'true'],
    ['</dev/null', 'false'],
    ['<"$2"', 'false'],
  ])('opened as %s was closed: %s', (redirection, closed) => {
    expect(asked(redirection)).toBe(closed);
  });
});
