/** Small programs called within the test, with a queue program of the test's own that keeps what it is given. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  runProgram,
  type Environment,
  type Program,
} from '../../../src/cli/programs/lib/program.ts';

export type Kept = {
  readonly message: string;
  /** `F…\0T…\0\0`, one character per byte. */
  readonly envelope: string;
};

export type Office = {
  readonly root: string;
  readonly env: Environment;
  /** Exit code of the queue program, and its words on descriptor 6. */
  queueSays(exit: number, words?: string): void;
  call(
    name: string,
    program: Program,
    args: readonly string[],
    input?: string,
    env?: Environment,
  ): Promise<{ readonly exit: number; readonly said: string }>;
  /** What the queue program was given last, if it was called. */
  kept(): Kept | undefined;
  remove(): void;
};

const hosts = {
  me: 'dh.dd.example',
  defaultdomain: 'dd.example',
  plusdomain: 'plus.example',
  idhost: 'id.example',
};

export function makeOffice(): Office {
  const root = mkdtempSync(join(tmpdir(), 'waybill-programs-'));
  mkdirSync(join(root, 'control'));
  for (const [name, text] of Object.entries(hosts))
    writeFileSync(join(root, 'control', name), `${text}\n`);
  const queue = join(root, 'queue');
  const queueSays = (exit: number, words = '') => {
    writeFileSync(
      queue,
      `#!/bin/sh\ncat > '${root}/message'\ncat <&1 > '${root}/envelope'\nprintf '%s' '${words}' >&6\nexit ${exit}\n`,
    );
    chmodSync(queue, 0o755);
  };
  queueSays(0);
  const env = {
    PATH: process.env['PATH'],
    USER: 'joe',
    WAYBILL_CONFIG: root,
    WAYBILL_DATA: join(root, 'data'),
    QMAILQUEUE: queue,
  };
  return {
    ...{ root, env, queueSays },
    async call(name, program, args, input = '', more = {}) {
      let said = '';
      const exit = await runProgram(name, program, {
        args,
        env: { ...env, ...more },
        // In two pieces, as a pipe may bring it.
        async *input() {
          const bytes = Buffer.from(input, 'latin1');
          const half = bytes.length >> 1;
          if (half > 0) yield bytes.subarray(0, half);
          if (bytes.length > half) yield bytes.subarray(half);
        },
        say: (text) => (said += text),
      });
      return { exit, said };
    },
    kept() {
      if (!existsSync(join(root, 'envelope'))) return undefined;
      const read = (name: string) => readFileSync(join(root, name), 'latin1');
      return { message: read('message'), envelope: read('envelope') };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
