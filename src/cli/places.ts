/** Where things lie in a data directory, as the command line sees it from outside. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Trouble } from '../mail/trouble.ts';

/** The global options. */
export type Places = { readonly config: string; readonly data: string };

export type DataFiles = {
  readonly directory: string;
  readonly log: string;
  readonly checkpoint: string;
  bodyFile(id: string): string;
};

/** Absolute paths; the same as those in composition/, which are relative to the data directory. */
export function dataFiles(data: string): DataFiles {
  const directory = resolve(data);
  return {
    directory,
    log: join(directory, 'log/waybill.db'),
    checkpoint: join(directory, 'checkpoints/agenda'),
    bodyFile: (id) => join(directory, 'spool/bodies', id),
  };
}

/** Throws `log-unavailable` where no engine has ever run. */
export function refuseMissingLog({ directory, log }: DataFiles): void {
  if (existsSync(log)) return;
  throw new Trouble('log-unavailable', {
    tryAgain: true,
    peer: 'no log',
    detail: `there is no log in ${directory}: no engine has run there yet (see --data), or it keeps its log in memory`,
  });
}
