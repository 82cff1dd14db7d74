/** The letters of a Maildir as its readers see them (maildir(5)), and what they clean up. */
import { readdirSync, statSync, unlinkSync } from 'node:fs';
import type { Instant } from '../../../platform/clock.ts';
import { errnoOf } from '../../../platform/errno.ts';

export type MaildirLetter = {
  readonly path: string;
  /** When it was delivered: its file's time of modification, whole seconds as milliseconds. */
  readonly at: Instant;
};

/** Nobody takes so long to deliver. */
const abandonedMs = 36 * 3_600_000;

/**
 * The letters in these folders, oldest first. One of the current second waits for the next look: a
 * second reader could otherwise tell the order wrong. Throws what the system says.
 */
export function lettersIn(
  maildir: string,
  folders: readonly ('new' | 'cur')[],
  now: Instant,
): readonly MaildirLetter[] {
  const thisSecond = Math.floor(now / 1000) * 1000;
  return folders
    .flatMap((folder) => filesIn(`${maildir}/${folder}`))
    .map((path) => ({ path, times: timesOf(path) }))
    .flatMap(({ path, times }) => (times === undefined ? [] : [{ path, at: times.modified }]))
    .filter(({ at }) => at < thisSecond)
    .sort((a, b) => a.at - b.at || (a.path < b.path ? -1 : 1));
}

/** Removes what deliveries have left in `tmp` long ago; never fails. */
export function cleanTmp(maildir: string, now: Instant): void {
  for (const path of quietly(() => filesIn(`${maildir}/tmp`)) ?? []) {
    const times = quietly(() => timesOf(path));
    if (times !== undefined && now > times.read + abandonedMs) quietly(() => unlinkSync(path));
  }
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .map((name) => `${folder}/${name}`);

/** `undefined`: another reader has taken it away meanwhile. */
function timesOf(path: string): { readonly modified: Instant; readonly read: Instant } | undefined {
  try {
    const { mtimeMs, atimeMs } = statSync(path);
    return { modified: Math.floor(mtimeMs / 1000) * 1000, read: atimeMs };
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
