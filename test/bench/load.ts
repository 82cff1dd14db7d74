/** Postfix's own load generator and destination: programs that no one here wrote. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { greets } from './server.ts';

const find = (program: string): string | undefined =>
  ['/usr/sbin', '/usr/local/sbin', '/usr/bin']
    .map((folder) => `${folder}/${program}`)
    .find((path) => spawnSync('test', ['-x', path]).status === 0);

export const sourceProgram = find('smtp-source');
export const sinkProgram = find('smtp-sink');
export const postfixProgram = find('postfix');

/** What to say where one of them is missing. */
export const missingPrograms = (): string | undefined => {
  const missing = [
    ...(sourceProgram === undefined ? ['smtp-source'] : []),
    ...(sinkProgram === undefined ? ['smtp-sink'] : []),
  ];
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(' and ')}, the load generators of Postfix (Debian: apt-get install postfix)`;
};

/** Why Postfix cannot take part; `undefined` when it can. */
export const withoutPostfix = (): string | undefined => {
  if (postfixProgram === undefined)
    return 'Postfix is not installed (Debian: apt-get install postfix)';
  return process.getuid?.() === 0 ? undefined : 'Postfix can be started by root only';
};

export type Sink = {
  readonly port: number;
  readonly pid: number;
  /** Letters taken so far. */
  count(): number;
  /** Takes nothing for now: connections hang. */
  pause(): void;
  resume(): void;
  /** Resolves with the instant (performance.now) at which it had so many; rejects after `limitMs`. */
  reaches(letters: number, limitMs: number): Promise<number>;
  stop(): void;
};

/** smtp-sink prints its counter after every letter, so nothing is polled. */
export async function startSink(port: number): Promise<Sink> {
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const args = [...user, '-c', '-m', '1000', `127.0.0.1:${port}`, '1024'];
  const child: ChildProcess = spawn(sinkProgram!, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let letters = 0;
  let at = 0;
  let waiting: (() => void)[] = [];
  child.stdout!.on('data', (chunk: Buffer) => {
    const counts = [...chunk.toString('latin1').matchAll(/mesg=(\d+)(?=[\r\n ])/g)];
    const last = counts.at(-1);
    if (last === undefined) return;
    letters = Number(last[1]);
    at = performance.now();
    waiting = waiting.filter((check) => (check(), true));
  });
  await greets(port, 10_000);
  return {
    ...{ port, pid: child.pid! },
    count: () => letters,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop() {
      child.kill('SIGCONT');
      child.kill();
    },
    reaches: (wanted, limitMs) =>
      new Promise((resolve, reject) => {
        const done = (finish: () => void) => {
          clearTimeout(timer);
          waiting = waiting.filter((other) => other !== check);
          finish();
        };
        const check = () => {
          if (letters >= wanted) done(() => resolve(at));
        };
        const timer = setTimeout(
          () => done(() => reject(new Error(`the sink has ${letters} of ${wanted} letters`))),
          limitMs,
        );
        waiting.push(check);
        check();
      }),
  };
}

export type LoadOptions = {
  readonly port: number;
  readonly to: string;
  readonly letters: number;
  readonly sessions: number;
  readonly bytes: number;
  /** Keep connections open between letters (`-d`). */
  readonly reuse: boolean;
};

/** Nothing that is measured takes longer. */
const sendLimitMs = 1_200_000;

/** Sends; resolves with the instants of start and end. */
export function send(options: LoadOptions): Promise<{ from: number; to: number }> {
  const { port, to, letters, sessions, bytes, reuse } = options;
  const args = [...(reuse ? ['-d'] : []), '-s', String(Math.min(sessions, letters))];
  args.push('-l', String(bytes), '-m', String(letters), '-f', 'sender@source.test', '-t', to);
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(sourceProgram!, [...args, `127.0.0.1:${port}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: sendLimitMs,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('close', (code) => {
      if (code === 0) resolve({ from, to: performance.now() });
      else reject(new Error(`smtp-source: ${said.trim().slice(0, 300) || 'took too long'}`));
    });
  });
}
