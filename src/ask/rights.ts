/**
 * Who may have written a question: it runs with the rights of whoever asks it. Started by root, only root
 * (or the account that we are) may be able to change the file, its folder, or any folder above.
 */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const writableByGroup = 0o020;
const writableByAll = 0o002;
/** As /tmp has it: only its owner may rename or remove what is in the folder. */
const sticky = 0o1000;

/** Why the file is not to be trusted, or `undefined`. `trusted`: numeric users besides root. */
export function distrustOf(file: string, trusted: readonly number[]): string | undefined {
  const whole = realpathSync(file);
  for (let path = whole; ; path = dirname(path)) {
    const { uid, mode } = statSync(path);
    if (uid !== 0 && !trusted.includes(uid)) return `${path} belongs to user ${uid}`;
    const isOpen = (mode & (writableByGroup | writableByAll)) !== 0;
    const isKept = path !== whole && path !== dirname(whole) && (mode & sticky) !== 0;
    if (isOpen && !isKept) {
      return `${path} can be written by ${(mode & writableByAll) === 0 ? 'its group' : 'everybody'}`;
    }
    if (dirname(path) === path) return undefined;
  }
}
