/** The caller's side of `local-callers.ts`: small, since a program is called a thousand times. */
import { symlinkSync } from 'node:fs';

/** What a caller is asked to do: a symbolic link at `path` to `word`. */
export type Challenge = { readonly path: string; readonly word: string };

/** Throws what the system says. */
export const meet = ({ path, word }: Challenge): void => symlinkSync(word, path);
