/** The control files of a directory, as qmail-showctl looks at them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from '../../../platform/read-if-there.ts';
import type { ControlFiles } from './qmail-showctl.ts';

export const controlFilesIn = (directory: string): ControlFiles => ({
  names: () =>
    readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  read: (name) => readIfThere(join(directory, name))?.toString('latin1'),
  changedAt: (name) => statSync(join(directory, name)).mtimeMs,
});
