/** Programs that speak to whoever called us: on our own stdout and stderr, for as long as they like. */
import { spawn } from 'node:child_process';
import type { Processes } from '../../../platform/processes.ts';

const nothing = new Uint8Array(0);

/** What they say is not kept, and nothing calls them off but a signal to all of us. */
export const ourProcesses: Processes = {
  run: ({ file, args, cwd, env, stdin }) =>
    new Promise((resolve, reject) => {
      const stdio = [stdin ?? 'ignore', 'inherit', 'inherit'] as const;
      const child = spawn(file, [...args], { cwd, env: { ...env }, stdio: [...stdio] });
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        resolve(
          code === null
            ? { how: 'signal', signal: signal ?? 'unknown', output: nothing }
            : { how: 'exit', code, output: nothing },
        ),
      );
    }),
};
