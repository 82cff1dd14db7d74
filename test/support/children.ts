/** Child processes of tests, and whether this machine has the programs some tests want. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const logChild = join(import.meta.dirname, 'log-child.ts');

/** The words that run `log-child.ts`. */
export const logChildWords = (job: string, directory: string): string[] => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  logChild,
  job,
  directory,
];

export class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #gone: Promise<number | null>;
  #errors = '';
  #waiting: (() => void)[] = [];

  constructor(words: readonly string[], options: { uid?: number; gid?: number } = {}) {
    const [program = '', ...rest] = words;
    this.#process = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.#process.stderr!.on('data', (bytes: Buffer) => (this.#errors += bytes.toString()));
    const lines = createInterface(this.#process.stdout!);
    lines.on('line', (line) => {
      this.lines.push(line);
      this.#stir();
    });
    this.#gone = new Promise((resolve, reject) => {
      this.#process.on('error', reject);
      this.#process.on('close', (code) => {
        resolve(code);
        this.#stir();
      });
    });
  }

  /** Resolves as soon as what it has said fits; rejects when it ends before. */
  async until(holds: (lines: readonly string[]) => boolean): Promise<void> {
    const over = this.#gone.then(() => true);
    while (!holds(this.lines)) {
      const said = new Promise<false>((resolve) => this.#waiting.push(() => resolve(false)));
      const ended = await Promise.race([said, over]);
      if (ended && !holds(this.lines)) throw new Error(`ended early: ${this.#errors}`);
    }
  }

  /** SIGKILL: nothing is flushed, closed or said any more. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#gone;
  }

  /** Resolves with the exit code. */
  async end(): Promise<number | null> {
    return this.#gone;
  }

  get errors(): string {
    return this.#errors;
  }

  #stir(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** Whether these words run and end well on this machine. */
export const works = (program: string, ...words: string[]): boolean =>
  spawnSync(program, words, { stdio: 'ignore' }).status === 0;
