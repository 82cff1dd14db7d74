/**
 * The node that a shell finds may be older than the one that this package brings along: that one then runs
 * the program, and the old one stands by as its shadow. Plain JavaScript that old nodes understand.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const wanted = 24;
const own = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
/** Of node's own parts that are new. */
const quietly = '--disable-warning=ExperimentalWarning';

export const isNewEnough = Number(process.versions.node.split('.')[0]) >= wanted;

/** Whoever supervises us knows our number only. */
const passedOn = ['SIGTERM', 'SIGHUP', 'SIGALRM', 'SIGUSR2'];
/** Those that a terminal says to everybody in its foreground. */
const typed = ['SIGINT', 'SIGQUIT'];

/** Runs `script` with `words` under the newer node; signals go there, its end becomes ours. `name`: who complains. */
export async function handOver(name, script, words) {
  if (!existsSync(own)) {
    console.error(`${name}: needs node ${wanted} or newer; this is ${process.version}`);
    process.exit(111);
  }
  // Only now: a new node has no use for it.
  const { spawn } = await import('node:child_process');
  let child;
  for (const signal of passedOn) process.on(signal, () => child.kill(signal));
  for (const signal of typed)
    process.on(signal, () => {
      // The child has heard it, too; twice means more than once: `serve` drops everything then.
      if (!isForeground()) child.kill(signal);
    });
  child = spawn(own, [quietly, script, ...words], { stdio: 'inherit' });
  child.on('error', ({ message }) => {
    console.error(`${name}: ${own} cannot be started: ${message}`);
    process.exit(111);
  });
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // One that node ignores, such as PIPE.
    setTimeout(() => process.exit(111), 100);
  });
}

/** Whether what is typed at our terminal is meant for us: our process group is the one in front. */
function isForeground() {
  try {
    // pid (command) state ppid pgrp session tty_nr tpgid …; the command may hold anything: proc_pid_stat(5).
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[2] === fields[5];
  } catch {
    return process.stdin.isTTY === true || process.stderr.isTTY === true;
  }
}
