/** The command line as a person runs it: a process of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { urgently } from '../support/urgent.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');
const sample = resolve(import.meta.dirname, '../../config');

export type Ran = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** On a data directory; the configuration is the sample one unless an argument says otherwise. */
export function waybill(data: string, ...args: readonly string[]): Ran {
  const places = ['--config', sample, '--data', data];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, ...places, ...urgently(args)],
    {
      encoding: 'utf8',
      cwd: join(sample, '..'),
    },
  );
  return { code: status, stdout, stderr };
}

/** Goes on running; the caller ends it. */
export const startWaybill = (data: string, ...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [main, '--data', data, ...urgently(args)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });

export const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
