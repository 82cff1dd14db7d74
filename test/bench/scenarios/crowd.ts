/** Crowds of clients: a program of its own (`test/bench/crowd.ts`), run when it is asked for and there. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Scenario } from '../scenario.ts';

const program = resolve(import.meta.dirname, '../crowd.ts');
const limitMs = 1_200_000;

export const crowdScenario: Scenario = {
  name: 'crowd',
  title: 'Crowds of clients',
  whenAsked: true,
  steps: () => 1,
  async run({ progress }) {
    progress.step('crowd', 'clients come together');
    if (!existsSync(program)) throw new Error('there is no test/bench/crowd.ts');
    const folder = mkdtempSync(join(tmpdir(), 'waybill-crowd-'));
    const figures = join(folder, 'figures.json');
    try {
      const { code, output } = await runProgram('--json', figures);
      if (code !== 0) throw new Error(`crowd.ts: exit ${code}: ${output.slice(-500)}`);
      const data: unknown = existsSync(figures) ? JSON.parse(readFileSync(figures, 'utf8')) : [];
      return { text: output.trimEnd(), data };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function runProgram(...words: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, ...words],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => done({ code, output }));
  });
}
