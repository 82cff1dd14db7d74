/** Real attempts with somebody's rights, in a process of their own: what the kernel says to each. For root. */
import { spawnSync } from 'node:child_process';

export type Identity = {
  readonly uid: number;
  readonly gid: number;
  readonly groups?: readonly number[];
};

export type Attempt =
  | { readonly kind: 'read' | 'write' | 'list' | 'make' | 'connect'; readonly path: string }
  | { readonly kind: 'signal'; readonly pid: number };

/** Node starts as root, for it may lie where only root can look, and becomes somebody else then. */
const script = `
const fs = require('node:fs');
const { identity: { uid, gid, groups = [] }, attempts } = JSON.parse(process.argv[1]);
process.setgroups(groups);
process.setgid(gid);
process.setuid(uid);
const done = {
  read: ({ path }) => { fs.closeSync(fs.openSync(path, 'r')); },
  write: ({ path }) => { fs.closeSync(fs.openSync(path, 'r+')); },
  list: ({ path }) => { fs.readdirSync(path); },
  make: ({ path }) => { fs.closeSync(fs.openSync(path, 'wx')); fs.unlinkSync(path); },
  signal: ({ pid }) => { process.kill(pid, 0); },
  connect: ({ path }) => new Promise((resolve, reject) => {
    const socket = require('node:net').connect(path);
    socket.once('connect', () => { socket.destroy(); resolve(); });
    socket.once('error', reject);
  }),
};
(async () => {
  const answers = [];
  for (const attempt of attempts) {
    try {
      await done[attempt.kind](attempt);
      answers.push('ok');
    } catch (cause) {
      answers.push(cause.code ?? String(cause));
    }
  }
  console.log(JSON.stringify(answers));
})();
`;

/** `ok` or the error's code, by a line that names the attempt: `read /etc/shadow`, `signal 12`. */
export function attemptAs(
  identity: Identity,
  attempts: readonly Attempt[],
): Readonly<Record<string, string>> {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['-e', script, JSON.stringify({ identity, attempts })],
    { encoding: 'utf8', cwd: '/' },
  );
  if (status !== 0) throw new Error(`attempts could not be made: ${stderr}`);
  const answers = JSON.parse(stdout) as readonly string[];
  return Object.fromEntries(attempts.map((attempt, at) => [nameOf(attempt), answers[at]!]));
}

const nameOf = (attempt: Attempt): string =>
  `${attempt.kind} ${attempt.kind === 'signal' ? attempt.pid : attempt.path}`;
