/**
 * The names a dot-qmail file may have for an extension, best first (qmail-local, qmesearch).
 *
 * A `/` in an extension stays, as in qmail: it names a file in a directory `.qmail-…/` that only the
 * user can have made. It cannot lead out of there: every dot of an extension becomes a colon, so a
 * stranger cannot spell `..`. A `..` in the dash field or a NUL finds no file at all.
 */
import { asciiLower } from '../mail/address.ts';

export type DotQmailName = {
  /** Relative to the home. */
  readonly name: string;
  /** What `default` stood for, case and dots as they came: the variable DEFAULT. */
  readonly rest?: string;
};

/** The extension as file names have it: A to Z lower-cased, dots as colons. As long as the extension. */
export const safeExt = (ext: string): string => asciiLower(ext).replaceAll('.', ':');

const word = 'default';

export function dotQmailNames(dash: string, ext: string): readonly DotQmailName[] {
  const safe = safeExt(ext);
  const named: DotQmailName = { name: `.qmail${dash}${safe}` };
  const names = [
    safe.endsWith(word) ? { ...named, rest: ext.slice(-word.length) } : named,
    ...defaultPlaces(safe).map((at) => ({
      name: `.qmail${dash}${safe.slice(0, at)}${word}`,
      rest: ext.slice(at),
    })),
  ];
  return names.filter(({ name }) => !name.includes('\0') && !name.split('/').includes('..'));
}

/** Where `default` may take over: after each dash from the right, and at the very start. */
function defaultPlaces(safe: string): readonly number[] {
  const places: number[] = [];
  for (let at = safe.length; at > 0; at -= 1) if (safe[at - 1] === '-') places.push(at);
  return [...places, 0];
}
