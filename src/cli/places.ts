/** Where things lie in a data directory, as the command line sees it from outside. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EventStore } from '../control/config.ts';
import { readWords } from '../control/config-words.ts';
import { logFile } from '../log/sqlite/log-file.ts';
import { Trouble } from '../mail/trouble.ts';
import { errnoOf, errorWords } from '../platform/errno.ts';
import { viewsFolder } from '../views/ports.ts';

/** The global options. */
export type Places = { readonly config: string; readonly data: string };

export type DataFiles = {
  readonly directory: string;
  readonly log: string;
  readonly checkpoint: string;
  /** Of the leases, where several nodes share the log. */
  readonly nodes: string;
  /** The desk's views; a directory that need not exist. */
  readonly views: string;
  bodyFile(id: string): string;
};

/** Absolute paths; the same as those in composition/, which are relative to the data directory. */
export function dataFiles(data: string): DataFiles {
  const directory = resolve(data);
  return {
    directory,
    log: join(directory, logFile),
    checkpoint: join(directory, 'checkpoints/agenda'),
    nodes: join(directory, 'checkpoints/nodes'),
    views: join(directory, viewsFolder),
    bodyFile: (id) => join(directory, 'spool/bodies', id),
  };
}

/**
 * The event store that the log is in, where it is in one. A configuration that cannot be read says nothing,
 * and does not keep anybody from a log that lies in the data directory.
 */
export async function eventStoreOf({ config, data }: Places): Promise<EventStore | undefined> {
  try {
    if (readWords('log', { dir: config, env: process.env }).engine !== 'kurrentdb')
      return undefined;
    // The whole table takes longer to load than most questions to answer.
    const { readConfig } = await import('../control/config.ts');
    return readConfig({ dir: config, env: process.env, data }).log.eventStore;
  } catch (cause) {
    if (existsSync(dataFiles(data).log)) return undefined;
    throw cause;
  }
}

/** Throws `log-unavailable` where no engine has ever run, and where we may not even look. */
export function refuseMissingLog({ directory, log }: DataFiles): void {
  try {
    statSync(log);
  } catch (cause) {
    throw new Trouble('log-unavailable', {
      ...{ tryAgain: true, peer: 'no log', cause },
      detail: isNotThere(cause)
        ? `there is no log in ${directory}: no engine has run there yet (see --data), or it keeps its log in memory`
        : `${log} cannot be read by uid ${process.geteuid?.()}: ${errorWords(cause)}`,
    });
  }
}

const isNotThere = (cause: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(errnoOf(cause) ?? '');
