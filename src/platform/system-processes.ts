/** Runs real programs. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock } from './clock.ts';
import type { LeftBehind } from './left-behind.ts';
import type { Command, Processes } from './processes.ts';

export type SystemProcessesParts = {
  readonly clock: Clock;
  /** Sees to what a program leaves in the background; without it that lives as long as it likes. */
  readonly leftBehind?: LeftBehind;
};

/** Between TERM and KILL. */
const graceMs = 2_000;
/** How long we listen to what a program left in the background once it has ended itself. */
const lingerMs = 500;

export function systemProcesses({ clock, leftBehind }: SystemProcessesParts): Processes {
  return {
    async run(command, callOff) {
      const child = startGroup(command);
      const ended = ending(child);
      const output = collect(child.stdout, command.maxOutputBytes);
      const stop = stopper(child, clock);
      const until = clock.steady() + command.timeoutMs;
      const cancelLimit = clock.after(command.timeoutMs, stop.now);
      callOff?.addEventListener('abort', stop.now);
      if (callOff?.aborted) stop.now();
      try {
        const how = await ended;
        await lastWords(child, clock);
        return { ...(stop.happened() ? { how: 'stopped' } : how), output: output() };
      } finally {
        cancelLimit();
        stop.done();
        if (child.pid !== undefined) leftBehind?.watch(child.pid, until - clock.steady());
        callOff?.removeEventListener('abort', stop.now);
      }
    },
  };
}

/** With `detached` the child leads a new session and group. The system empties the list of groups with `uid`. */
function startGroup({ file, args, cwd, env, stdin, uid, gid }: Command): ChildProcess {
  return spawn(file, [...args], {
    cwd,
    env: { ...env },
    stdio: [stdin ?? 'ignore', 'pipe', 'ignore'],
    detached: true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
}

/** Keeps the first bytes and reads on, so that a talkative program does not block on a full pipe. */
function collect(stdout: Readable | null, maxBytes: number): () => Uint8Array {
  const chunks: Buffer[] = [];
  let size = 0;
  stdout?.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, maxBytes - size);
    if (kept.length > 0) chunks.push(kept);
    size += kept.length;
  });
  return () => Buffer.concat(chunks);
}

type Stopper = { now: () => void; happened: () => boolean; done: () => void };

function stopper(child: ChildProcess, clock: Clock): Stopper {
  let stopped = false;
  let cancelKill = () => {};
  const signal = (name: 'SIGTERM' | 'SIGKILL') => killGroup(child.pid, name);
  return {
    now() {
      if (stopped) return;
      stopped = true;
      signal('SIGTERM');
      cancelKill = clock.after(graceMs, () => signal('SIGKILL'));
    },
    happened: () => stopped,
    /** The leader is gone; whatever else of a stopped group is left goes too. */
    done() {
      cancelKill();
      if (stopped) signal('SIGKILL');
    },
  };
}

function killGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: they have all ended by themselves.
  }
}

type How = { how: 'exit'; code: number } | { how: 'signal'; signal: string };

function ending(child: ChildProcess): Promise<How> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === null) resolve({ how: 'signal', signal: signal ?? 'unknown' });
      else resolve({ how: 'exit', code });
    });
  });
}

/** Reads the pipe to its end, or for a moment only where a background process holds it open. */
function lastWords({ stdout }: ChildProcess, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (stdout === null || stdout.closed) return resolve();
    const cancel = clock.after(lingerMs, () => stdout.destroy());
    stdout.once('close', () => {
      cancel();
      resolve();
    });
  });
}
