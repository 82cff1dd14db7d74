/** The control files of a directory, as qmail-showctl looks at them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../platform/errno.ts';
import type { ControlFiles } from './qmail-showctl.ts';

export const controlFilesIn = (directory: string): ControlFiles => ({
  names: () =>
    readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  read(name) {
    try {
      return readFileSync(join(directory, name), 'latin1');
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw cause;
    }
  },
  changedAt: (name) => statSync(join(directory, name)).mtimeMs,
});
