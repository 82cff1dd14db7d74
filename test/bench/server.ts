/** A server under measurement, whichever it is; and how one is started and ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Group } from './meter.ts';
import { greetingAt } from './smtp-client.ts';

/** Where a server relays to: `sink.test` and `dead.test` (where nobody listens). */
export type Ports = { readonly sink: number; readonly dead: number };

export type Server = {
  readonly name: string;
  readonly port: number;
  /** Everything it does is counted here. */
  readonly group: Group;
  /** Where letters for the local mailbox go. */
  readonly mailbox: string;
  /** Starts, and says nothing: it may take a while until it greets. */
  launch(): void;
  /** Starts; resolves when it greets. */
  start(): Promise<void>;
  /** In order, or by force when that takes too long. */
  stop(): Promise<void>;
  /** KILL to all of its processes; resolves when they are gone. */
  kill(): Promise<void>;
  /** Delivered to the local mailbox so far. */
  delivered(): number;
};

const greetingLimitMs = 60_000;
const stopLimitMs = 30_000;

/** Resolves when the server greets; rejects after a minute. */
export async function greets(port: number, limitMs = greetingLimitMs): Promise<void> {
  for (const until = performance.now() + limitMs; performance.now() < until;) {
    if (await greetingAt(port)) return;
    await sleep(20);
  }
  throw new Error(`nobody greets on port ${port} within ${limitMs / 1000} s`);
}

/** The same for a server whose process should live, or end well: in vain is told at once. */
export function greetsOrDies(port: number, child: ChildProcess, mayEnd: boolean): Promise<void> {
  const died = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => {
      if (!mayEnd || code !== 0) reject(new Error(`the server ended: ${signal ?? code}`));
    });
  });
  return Promise.race([greets(port), died]);
}

/** Waits until all processes of the group are gone; after a while they are ended by force. */
export async function emptied(group: Group, limitMs = stopLimitMs): Promise<void> {
  for (const until = performance.now() + limitMs; performance.now() < until;) {
    if (group.pids().length === 0) return;
    await sleep(20);
  }
  await killAll(group);
}

export async function killAll(group: Group): Promise<void> {
  // A process may start another while we look.
  for (const until = performance.now() + stopLimitMs; performance.now() < until;) {
    const pids = group.pids();
    if (pids.length === 0) return;
    for (const pid of pids) killHard(pid);
    await sleep(5);
  }
  throw new Error(`processes ${group.pids().join(', ')} cannot be killed`);
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** A shell joins the group before it becomes the program, so that nothing escapes the count. */
export function spawnIn(
  group: Group,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  onLine?: (line: string) => void,
): ChildProcess {
  const child = spawn('sh', ['-c', 'read go && exec "$@"', 'sh', ...argv], {
    stdio: ['pipe', 'ignore', onLine === undefined ? 'inherit' : 'pipe'],
    env: { ...process.env, ...env },
  });
  if (onLine !== undefined) eachLine(child, onLine);
  group.add(child.pid!);
  child.stdin!.end('go\n');
  return child;
}

function eachLine({ stderr }: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  stderr!.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}
