/** docs/FAULTS.md promises tests: each file that it names is there, and has a test by the words that it quotes. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(resolve(root, 'docs/FAULTS.md'), 'utf8');

it('the page on faults names tests that there are', () => {
  const missing: string[] = [];
  let quoted = 0;
  for (const line of page.split('\n')) {
    let file = '';
    for (const [, path, words] of line.matchAll(/`(test\/[^`]+)`|(?<!\*)\*([^*]+)\*(?!\*)/g)) {
      if (path !== undefined) {
        file = path;
        if (!existsSync(resolve(root, path))) missing.push(path);
      } else if (file !== '' && words !== undefined && words !== 'and') {
        quoted += 1;
        if (!readFileSync(resolve(root, file), 'utf8').includes(words))
          missing.push(`${file}: ${words}`);
      }
    }
  }
  expect(missing).toEqual([]);
  expect(quoted).toBeGreaterThan(70);
});
