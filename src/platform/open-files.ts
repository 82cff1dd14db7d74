/** How many files and sockets this process may have open. Node raises the soft limit to the hard one by itself. */
import { readFileSync } from 'node:fs';

/** `undefined` where the system does not say (it does on Linux); `Infinity` for no limit. */
export function openFilesLimit(limitsFile = '/proc/self/limits'): number | undefined {
  try {
    const told = /^Max open files +([0-9]+|unlimited) /m.exec(readFileSync(limitsFile, 'latin1'));
    return told?.[1] === undefined
      ? undefined
      : told[1] === 'unlimited'
        ? Infinity
        : Number(told[1]);
  } catch {
    return undefined;
  }
}
