/** Postfix's own load generator and destination: programs that no one here wrote. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';

const find = (program: string): string | undefined =>
  ['/usr/sbin', '/usr/local/sbin', '/usr/bin']
    .map((folder) => `${folder}/${program}`)
    .find((path) => spawnSync('test', ['-x', path]).status === 0);

export const sourceProgram = find('smtp-source');
export const sinkProgram = find('smtp-sink');
export const postfixProgram = find('postfix');

export type Sink = {
  /** Letters taken so far. */
  count(): number;
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
  await new Promise((resolve) => setTimeout(resolve, 300));
  return {
    count: () => letters,
    stop: () => child.kill(),
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

/** Sends; resolves with the instants of start and end. */
export function send(options: LoadOptions): Promise<{ from: number; to: number }> {
  const { port, to, letters, sessions, bytes, reuse } = options;
  const args = [...(reuse ? ['-d'] : []), '-s', String(Math.min(sessions, letters))];
  args.push('-l', String(bytes), '-m', String(letters), '-f', 'sender@source.test', '-t', to);
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(sourceProgram!, [...args, `127.0.0.1:${port}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('close', (code) => {
      if (code === 0) resolve({ from, to: performance.now() });
      else reject(new Error(`smtp-source: ${said.trim().slice(0, 300)}`));
    });
  });
}
