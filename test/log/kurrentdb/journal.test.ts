/** The stand-in's own file, after it was killed. */
import { expect, it } from '@jest/globals';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { keepOnDisk } from '../../support/kurrent/journal.ts';
import { Store } from '../../support/kurrent/store.ts';
import { tempDir } from '../../support/temp-dir.ts';

it('the stand-in goes on after the last whole line of its file', () => {
  const dir = tempDir();
  const file = dir.file('events.jsonl');
  writeFileSync(file, '');
  appendFileSync(file, '{"stream":"message-torn","da');
  keepOnDisk(new Store(), file);
  expect(readFileSync(file, 'utf8')).toBe('');
  dir.remove();
});
