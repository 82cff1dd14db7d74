/** Spoils the system calls of a process that runs already: strace attaches to it, and lets go again. */
import { spawn, spawnSync } from 'node:child_process';
import { until } from './until.ts';

export const canSpoil = (): boolean =>
  spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

export type Spoiled = {
  /** The calls are what they were. */
  mend(): Promise<void>;
};

/** `inject` as strace's `-e inject=`; `paths`: only calls on these files. */
export async function spoil(
  pid: number,
  inject: string,
  paths: readonly string[] = [],
): Promise<Spoiled> {
  const only = paths.flatMap((path) => ['-P', path]);
  const args = ['-f', '-o', '/dev/null', ...only, '-e', `inject=${inject}`, '-p', String(pid)];
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise((done) => child.once('exit', done));
  await until(() => said.includes('attached'), 'strace to be attached');
  return {
    async mend() {
      child.kill('SIGINT');
      await ended;
    },
  };
}
