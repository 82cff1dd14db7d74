/** fastforward and dot-forward as processes: a folder as home, a queue that keeps what it is given, a letter on stdin. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TempDir } from './temp-dir.ts';

const programs = fileURLToPath(new URL('../../src/cli/programs/', import.meta.url));

/** The words before the arguments that run one of our programs. */
export const ours = (name: string): readonly string[] => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  `${programs}${name}.ts`,
];

export const letter = 'Subject: hello\n\nA letter.\n';

export const deliveryEnv = {
  ...{ USER: 'joe', HOST: 'x.org', SENDER: 's@x.org', NEWSENDER: 'new@x.org' },
  DTLINE: 'Delivered-To: joe@x.org\n',
  RPLINE: 'Return-Path: <s@x.org>\n',
  UFLINE: 'From s@x.org Thu Jan  1 00:00:00 1970\n',
};

/** What the original's programs for mail look for in their own home. */
export function makeHome(dir: TempDir): void {
  for (const name of ['home', 'bin', 'control', 'etc']) mkdirSync(dir.file(name));
  writeFileSync(dir.file('control/me'), 'me.org\n');
  writeFileSync(dir.file('control/defaulthost'), 'dh.org\n');
  writeFileSync(dir.file('control/defaultdomain'), 'dd.org\n');
  writeFileSync(dir.file('control/plusdomain'), 'pd.org\n');
  // Exits as `exit` in its folder says.
  const script = `#!/bin/sh
cat > ${dir.path}/queued.message
cat <&1 > ${dir.path}/queued.envelope
exit $(cat ${dir.path}/exit)
`;
  writeFileSync(dir.file('bin/qmail-queue'), script, { mode: 0o755 });
  const preline = '#!/bin/sh\n{ printf %s "$UFLINE" "$RPLINE" "$DTLINE"; cat; } | "$@"\n';
  writeFileSync(dir.file('bin/preline'), preline, { mode: 0o755 });
  writeFileSync(dir.file('exit'), '0');
}

export type Forwarded = {
  readonly exit: number | null;
  readonly out: string;
  /** Process numbers as N. */
  readonly err: string;
  /** What the queue got: sender, recipients, and the letter; absent when it got nothing. */
  readonly queued?: { readonly envelope: readonly string[]; readonly message: string };
};

export type ForwardingCall = {
  readonly env?: { readonly [name: string]: string | undefined };
  readonly message?: string;
  /** The letter comes through a pipe and not from a file. */
  readonly piped?: boolean;
};

export async function forward(
  dir: TempDir,
  words: readonly string[],
  { env = {}, message = letter, piped = false }: ForwardingCall = {},
): Promise<Forwarded> {
  writeFileSync(dir.file('letter'), message);
  for (const name of ['queued.message', 'queued.envelope']) rmSync(dir.file(name), { force: true });
  const fd = piped ? undefined : openSync(dir.file('letter'), 'r');
  const child = spawn(words[0]!, words.slice(1), {
    cwd: dir.file('home'),
    stdio: [fd ?? 'pipe', 'pipe', 'pipe'],
    env: {
      ...{ PATH: `${dir.file('bin')}:${process.env['PATH']}`, ...deliveryEnv },
      ...{ QMAILQUEUE: dir.file('bin/qmail-queue'), WAYBILL_CONFIG: dir.path, ...env },
    },
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(message);
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString('latin1')));
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (fd !== undefined) closeSync(fd);
  return { exit, out, err: err.replace(/qp [0-9]+/, 'qp N'), ...queuedIn(dir) };
}

function queuedIn(dir: TempDir): Pick<Forwarded, 'queued'> {
  if (!existsSync(dir.file('queued.envelope'))) return {};
  const envelope = readFileSync(dir.file('queued.envelope'), 'latin1').split('\0').slice(0, -2);
  return { queued: { envelope, message: readFileSync(dir.file('queued.message'), 'latin1') } };
}
