/**
 * Descriptors that a shell or a supervisor left open and nobody meant for a role: a door has its sockets,
 * and nothing that somebody else forgot. Node's own are marked close-on-exec; what came through two execs
 * without the mark is a stray. Linux only, where /proc tells.
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** Closes them. Called before anything is opened on purpose; `kept` are those that `start` handed down. */
export function closeStrays(kept: readonly number[]): void {
  for (const fd of descriptors()) {
    if (fd > 2 && !kept.includes(fd) && !closesOnExec(fd)) closeSync(fd);
  }
}

function descriptors(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [];
  }
}

/** `O_CLOEXEC` of open(2), as fdinfo shows it, in octal. */
const closeOnExec = 0o2000000;

function closesOnExec(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
    return flags === null || (Number.parseInt(flags[1]!, 8) & closeOnExec) !== 0;
  } catch {
    // The one that the directory was read through.
    return true;
  }
}
