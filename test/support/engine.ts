/** The real engine as a process tree of its own, on loopback, with a configuration made for the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { urgently } from './urgent.ts';

const repository = resolve(import.meta.dirname, '../..');
const main = join(repository, 'src/cli/main.ts');

export type EngineOptions = {
  /** Control files by name; a value of `undefined` leaves the default out. */
  readonly control?: Readonly<Record<string, string | undefined>>;
  /** Other files below the configuration directory, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Root's tests only: the engine's process tree runs as this user and group. */
  readonly uid?: number;
  /** With the role that watches, which most tests do without; its page at a port of the test's choice, or nowhere. */
  readonly desk?: true | { readonly port: number };
  /** A program, with its words, that runs the engine in its own place (as `strace -D` does). */
  readonly under?: (root: string) => readonly string[];
  /** The program that `start` runs, where it is not this repository's own. */
  readonly main?: string;
};

export type Role = 'start' | 'queue' | 'door' | 'remote' | 'local' | 'desk';

export type Engine = {
  readonly root: string;
  readonly configDir: string;
  readonly dataDir: string;
  readonly port: number;
  /** Starts the process tree; resolves when the door greets. */
  start(): Promise<void>;
  /** TERM, and waits for the end. */
  stop(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Process ids by role, read from /proc. */
  pids(): readonly { readonly role: Role; readonly pid: number }[];
  /** Kills with KILL; returns when the processes are gone. */
  kill(...roles: readonly Role[]): Promise<void>;
  /** Runs a `waybill` command on this engine's data. */
  waybill(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** All the text the engine wrote. */
  output(): string;
  /** Files in a Maildir below the data directory's `mail/`. */
  maildir(user: string): readonly string[];
  remove(): Promise<void>;
};

/** Nobody listens there at the moment of asking; below the range the kernel hands out by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const free = await new Promise<boolean>((done) => {
      const server = createServer();
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => {
        const { port: got } = server.address() as AddressInfo;
        server.close(() => done(got === port));
      });
    });
    if (free) return port;
  }
}

export async function makeEngine(options: EngineOptions = {}): Promise<Engine> {
  const root = mkdtempSync(join(tmpdir(), 'waybill-'));
  // Started by root, the roles run as accounts of their own, which must get to the data.
  chmodSync(root, 0o711);
  const configDir = join(root, 'config');
  const dataDir = join(root, 'data');
  const port = await freePort();
  writeConfig(configDir, port, options);
  if (options.uid !== undefined) chownSync(root, options.uid, options.uid);
  let child: ChildProcess | undefined;
  let output = '';

  const engine: Engine = {
    root,
    configDir,
    dataDir,
    port,
    output: () => output,
    async start() {
      const [program, ...words] = [
        ...(options.under?.(root) ?? []),
        ...[process.execPath, '--disable-warning=ExperimentalWarning', options.main ?? main],
        ...['--config', configDir, '--data', dataDir, 'serve'],
      ];
      child = spawn(program!, words, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...options.env },
        ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
      });
      const started = child;
      const before = output.length;
      const hear = (chunk: Buffer) => (output += chunk.toString());
      started.stdout!.on('data', hear);
      started.stderr!.on('data', hear);
      await greets(port, started, () => output);
      // The door greets before the channels are up. A role that is killed meanwhile comes a little later.
      const limit = Date.now() + 30_000;
      const isUp = () => output.includes('"msg":"running"', before);
      while (!isUp() && isAlive(started.pid!) && Date.now() < limit) await sleep(5);
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await ended(child);
    },
    signal(signal) {
      child?.kill(signal);
    },
    pids: () => (child?.pid === undefined ? [] : processTree(child.pid)),
    async kill(...roles) {
      const all = engine.pids();
      const doomed = all.filter(({ role }) => roles.includes(role));
      for (const { pid } of doomed) killHard(pid);
      const isOver = roles.includes('start');
      if (isOver && child !== undefined) await ended(child);
      // The others end by themselves then; until it has, a door keeps the port from the next start.
      for (const { pid } of isOver ? all : doomed) while (isAlive(pid)) await sleep(2);
    },
    waybill: (...args) =>
      run([main, '--config', configDir, '--data', dataDir, ...urgently(args)], options.env),
    maildir(user) {
      try {
        const folder = join(dataDir, 'mail', user, 'Maildir', 'new');
        return readdirSync(folder).map((name) => join(folder, name));
      } catch {
        return [];
      }
    },
    async remove() {
      const all = engine.pids();
      await engine.kill('start', 'queue', 'door', 'remote', 'local', 'desk');
      for (const { pid } of all) if (isAlive(pid)) killHard(pid);
      rmSync(root, { recursive: true, force: true, maxRetries: 20 });
    },
  };
  return engine;
}

const defaultControl: Readonly<Record<string, string>> = {
  me: 'mail.demo.test\n',
  locals: 'demo.test\nmail.demo.test\n',
  rcpthosts: 'demo.test\n',
  'tcp.smtp': '127.:allow,RELAYCLIENT=""\n',
  // Whoever is put off for a slow machine's sake comes back after minutes.
  timeoutconnect: '60\n',
  timeoutremote: '60\n',
};

const defaultFiles: Readonly<Record<string, string>> = {
  'users/assign': '=demo:demo:::mail/demo:::\n+demo-:demo:::mail/demo:-::\n.\n',
  'alias/.qmail-postmaster': '&demo@demo.test\n',
  'alias/.qmail-mailer-daemon': '&demo@demo.test\n',
};

function writeConfig(
  dir: string,
  port: number,
  { control = {}, files = {}, desk }: EngineOptions,
): void {
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  const page = typeof desk === 'object' ? `127.0.0.1:${desk.port}` : '';
  put(
    'waybill.toml',
    `[listen]\nsmtp = ["127.0.0.1:${port}"]\n[desk]\nenabled = ${desk !== undefined}\nlisten = "${page}"\n`,
  );
  for (const [name, text] of Object.entries({ ...defaultControl, ...control })) {
    if (text !== undefined) put(`control/${name}`, text);
  }
  for (const [path, text] of Object.entries({ ...defaultFiles, ...files })) put(path, text);
}

/** Resolves when the door says 220. */
async function greets(port: number, child: ChildProcess, output: () => string): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the engine ended: ${output()}`);
    if (await says220(port)) return;
    if (Date.now() > until) throw new Error(`the engine does not greet: ${output()}`);
    await sleep(20);
  }
}

const says220 = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => done(false));
    socket.once('data', (data) => finish(data.toString().startsWith('220')));
  });

function processTree(start: number): { role: Role; pid: number }[] {
  const found: { role: Role; pid: number }[] = isAlive(start)
    ? [{ role: 'start', pid: start }]
    : [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) !== start || state === 'Z') continue;
      const line = readFileSync(`/proc/${name}/cmdline`, 'latin1');
      const role = /(queue|door|remote|local|desk)/.exec(line)?.[1] as Role | undefined;
      if (role !== undefined) found.push({ role, pid: Number(name) });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done();
    else child.once('exit', () => done());
  });

function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('close', (code) => done({ code: code ?? 1, stdout, stderr }));
  });
}
