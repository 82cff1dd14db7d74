/** Counts what a Maildir++ holds: `new` and `cur` of it and of its folders, the trash excepted. */
import type { Usage } from '../../mail/quota.ts';
import { errnoOf } from '../../platform/errno.ts';
import type { As, FileCalls } from './file-calls.ts';

export type CountParts = { readonly files: FileCalls; readonly as: As };

/** Sizes asked for in one go; other deliveries have their turn in between. */
const atOnce = 500;

export type Counted = {
  readonly usage: Usage;
  /** No letter came or went meanwhile. */
  readonly isStable: boolean;
};

/** `path` ends in `/`. */
export async function countMaildir(parts: CountParts, path: string): Promise<Counted> {
  const { files, as } = parts;
  const places = as(() => placesIn(files, path));
  const before = as(() => versions(files, places));
  let usage: Usage = { bytes: 0, letters: 0 };
  for (const place of places) usage = add(usage, await countPlace(parts, place));
  return { usage, isStable: as(() => versions(files, places)) === before };
}

/** The directories that letters lie in. */
function placesIn(files: FileCalls, path: string): readonly string[] {
  const folders = files
    .readdirSync(path)
    .filter((name) => /^\.[^.]/.test(name) && name !== '.Trash');
  return ['', ...folders.map((name) => `${name}/`)].flatMap((folder) => [
    `${path}${folder}new`,
    `${path}${folder}cur`,
  ]);
}

/** When each of them last changed, as one text. */
const versions = (files: FileCalls, places: readonly string[]): string =>
  places.map((place) => files.statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? '-').join(' ');

async function countPlace({ files, as }: CountParts, place: string): Promise<Usage> {
  const names = as(() => listed(files, place)).filter(isCounted);
  let usage: Usage = { bytes: 0, letters: 0 };
  for (let at = 0; at < names.length; at += atOnce) {
    const some = names.slice(at, at + atOnce);
    usage = as(() => some.reduce((sum, name) => add(sum, one(files, `${place}/${name}`)), usage));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return usage;
}

function listed(files: FileCalls, place: string): readonly string[] {
  try {
    return files.readdirSync(place);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(cause) ?? '')) return [];
    throw cause;
  }
}

/** Not what a reader has thrown away (T). */
const isCounted = (name: string): boolean => !name.startsWith('.') && !/:2,[A-Z]*T/.test(name);

function one(files: FileCalls, path: string): Usage {
  const said = /,S=(\d{1,15})/.exec(path.slice(path.lastIndexOf('/')))?.[1];
  if (said !== undefined) return { bytes: Number(said), letters: 1 };
  const stat = files.statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? { bytes: 0, letters: 0 } : { bytes: stat.size, letters: 1 };
}

const add = (a: Usage, b: Usage): Usage => ({
  bytes: a.bytes + b.bytes,
  letters: a.letters + b.letters,
});
