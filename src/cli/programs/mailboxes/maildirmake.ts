/** maildirmake: a new, empty Maildir. */
import { mkdirSync } from 'node:fs';
import { errorWords } from '../../../platform/errno.ts';
import { Misused, tryLater, type Call } from '../lib/program.ts';

/** `maildirmake directory`: nobody else may look into it. */
export async function maildirmake({ args: [directory] }: Call): Promise<number> {
  if (directory === undefined) throw new Misused('usage: maildirmake name');
  for (const path of [directory, ...['tmp', 'new', 'cur'].map((name) => `${directory}/${name}`)]) {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (cause) {
      throw tryLater(`unable to mkdir ${path}: ${errorWords(cause)}`);
    }
  }
  return 0;
}
