/** Whether the log takes letters now, in a sentence for an operator: asked of the engine, or seen by its mark. */
import { connectLink } from '../composition/links/sockets.ts';
import { readSuspicion } from '../log/sqlite/suspect.ts';
import { formatInstant, safe } from '../trace/words.ts';
import type { DataFiles } from './places.ts';

const answerMs = 2_000;

/** A sync failed, and nobody has looked the log over since. */
export function suspicionWords({ log }: DataFiles): string | undefined {
  const suspicion = readSuspicion(log);
  if (suspicion === undefined) return undefined;
  const { at, what } = suspicion;
  return `a sync of the log failed at ${safe(at)} (${safe(what, 300)}): see to its disk, then restart; the start looks the log over before it writes`;
}

type Status = {
  readonly log?: { readonly code: string; readonly what: string; readonly since: number };
};

/** Changes to the data directory: a socket's path must be short. `undefined` when all is well, or nobody answers. */
export async function troubleWords(files: DataFiles): Promise<string | undefined> {
  const suspicion = suspicionWords(files);
  const { log } = await statusOf(files);
  if (log === undefined) return suspicion && `${suspicion[0]!.toUpperCase()}${suspicion.slice(1)}.`;
  const since = formatInstant(log.since);
  return log.code === 'log-broken'
    ? `The log is not written any more since ${since}: ${suspicion ?? safe(log.what, 300)}.`
    : `The log cannot be written since ${since}: ${safe(log.what, 300)}. Doors answer 451 or 452 and deliveries pause until it can.`;
}

async function statusOf({ directory }: DataFiles): Promise<Status> {
  try {
    process.chdir(directory);
    const link = await connectLink('control');
    try {
      return (await link.request('status', {}, { timeoutMs: answerMs })).value as Status;
    } finally {
      link.close();
    }
  } catch {
    return {};
  }
}
