/** A real engine at work, with every call to the file system recorded by strace from outside. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeEngine, type Engine } from '../engine.ts';
import { until } from '../until.ts';
import { callNames, longestString, toCalls, type Call } from './calls.ts';

export const canRecord = spawnSync('strace', ['-D', '-e', 'trace=none', 'true']).status === 0;

export type Recording = {
  /** What the calls happened to: `engine.root`. */
  readonly engine: Engine;
  readonly calls: readonly Call[];
  /** Lines of the recording. */
  readonly length: number;
};

/** Starts an engine (as that user; absent: as we are), lets it work, stops it in order. */
export async function record(
  work: (engine: Engine) => Promise<void>,
  uid?: number,
): Promise<Recording> {
  const engine = await makeEngine({
    ...(uid === undefined ? {} : { uid }),
    env: { NODE_COMPILE_CACHE: '', NODE_DISABLE_COMPILE_CACHE: '1' },
    under: (root) => [
      ...['strace', '-D', '-f', '-y', '-xx', '-s', String(longestString)],
      ...['-e', `trace=${callNames}`, '-e', 'signal=none', '-o', join(root, 'trace')],
    ],
  });
  try {
    await engine.start();
    await work(engine);
    const { pid } = engine.pids().find(({ role }) => role === 'start')!;
    await engine.stop();
    const isOver = new RegExp(`^${pid} +\\+\\+\\+ `, 'm');
    await until(() => isOver.test(read(engine)), 'the end of the recording');
  } catch (cause) {
    await engine.remove();
    throw cause;
  }
  const lines = read(engine).split('\n');
  return { engine, calls: toCalls(lines, engine.dataDir), length: lines.length };
}

const read = ({ root }: Engine): string => readFileSync(join(root, 'trace'), 'latin1');
