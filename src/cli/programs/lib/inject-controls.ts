/** The four control files of qmail-inject. Any user may read them; the working directory does not matter. */
import { join } from 'node:path';
import { parseLine } from '../../../control/readers.ts';
import type { InjectControls } from '../../../ingress/inject/settings.ts';
import { readIfThere } from '../../../platform/read-if-there.ts';
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
    return readIfThere(path)?.toString('utf8');
  } catch {
    throw tryLater('unable to read controls');
  }
}
