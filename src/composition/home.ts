/**
 * Which data directory this is, for the other nodes: by a random number that was made with it, and by where
 * its file lies, so that a copy is another one; and under which kernel and mount, where a lock is what it says.
 */
import { createHash, randomBytes } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { readIfThere } from '../platform/read-if-there.ts';
import { replaceFile } from '../platform/replace-file.ts';

export type Home = {
  /** The same over restarts of engine and machine. */
  readonly home: string;
  /** The same until the machine starts again; absent where the system does not say. */
  readonly boot: string | undefined;
};

/** A machine as it is told apart from its copies, where the system knows that. */
export type Machine = { readonly id: string; readonly boot: string };

/** Makes `file` where there is none. Only for who holds the directory's lock. */
export function homeOf(directory: string, file: string, machine: Machine = thisMachine()): Home {
  const number = readIfThere(file)?.toString('latin1').trim() ?? '';
  if (!/^[0-9a-f]{32}$/.test(number)) {
    makeNumber(file);
    return homeOf(directory, file, machine);
  }
  const { ino, dev } = statSync(file, { bigint: true });
  return {
    home: digest(number, String(ino), machine.id, realpathSync(directory)),
    // A device has another number after the next mount, and a snapshot has another one at once.
    boot: machine.boot === '' ? undefined : digest(machine.boot, String(dev)),
  };
}

function makeNumber(file: string): void {
  const pieces = [Buffer.from(`${randomBytes(16).toString('hex')}\n`)];
  replaceFile({ target: file, temporary: `${file}.new`, mode: 0o600, pieces });
}

const digest = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);

const thisMachine = (): Machine => ({
  id: wordOf('/etc/machine-id'),
  boot: wordOf('/proc/sys/kernel/random/boot_id'),
});

/** Containers may not have it, and other systems do not. */
function wordOf(file: string): string {
  try {
    return readIfThere(file)?.toString('latin1').trim() ?? '';
  } catch {
    return '';
  }
}
