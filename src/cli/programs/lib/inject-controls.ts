/** The four control files of qmail-inject. Any user may read them; the working directory does not matter. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLine } from '../../../control/readers.ts';
import type { InjectControls } from '../../../ingress/inject/settings.ts';
import { errnoOf } from '../../../platform/errno.ts';
import { toBytes } from './bytes.ts';
import { tryLater } from './program.ts';

/** Each is `me` where it has no file, and its own name where there is no `me` either. */
export function readInjectControls(config: string): InjectControls {
  const line = (name: string): string | undefined => {
    const text = readText(join(config, 'control', name));
    return text === undefined ? undefined : toBytes(parseLine(text).value);
  };
  const me = line('me');
  return {
    defaulthost: line('defaulthost') ?? me ?? 'defaulthost',
    defaultdomain: line('defaultdomain') ?? me ?? 'defaultdomain',
    plusdomain: line('plusdomain') ?? me ?? 'plusdomain',
    idhost: line('idhost') ?? me ?? 'idhost',
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw tryLater('unable to read controls');
  }
}
