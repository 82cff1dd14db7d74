/** Waybill as it is in this clone, with its own defaults but for the routes and as many slots as Postfix is given. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { openGroup } from './meter.ts';
import { emptied, greetsOrDies, killAll, spawnIn, type Ports, type Server } from './server.ts';

const repository = resolve(import.meta.dirname, '../..');

export type WaybillServer = Server & {
  readonly dataDir: string;
  readonly configDir: string;
};

export type WaybillOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Each line that the engine writes; then it also says what is not an error. */
  readonly onLine?: (line: string) => void;
};

export function waybillServer(
  folder: string,
  port: number,
  ports: Ports,
  { env = {}, onLine }: WaybillOptions = {},
): WaybillServer {
  const configDir = join(folder, 'config');
  const dataDir = join(folder, 'data');
  const group = openGroup(`waybill-${port}`);
  writeConfig(configDir, port, ports);
  const verbosity = { WAYBILL_STDERR_LEVEL: onLine === undefined ? 'error' : 'info' };
  let child: ChildProcess | undefined;
  return {
    ...{ name: 'waybill', port, group, dataDir, configDir, mailbox: 'bench@local.test' },
    launch() {
      const argv = [...waybillCommand({ configDir, dataDir }), 'serve'];
      child = spawnIn(group, argv, { ...verbosity, ...env }, onLine);
    },
    async start() {
      this.launch();
      await greetsOrDies(port, child!, false);
    },
    async stop() {
      child?.kill('SIGTERM');
      await emptied(group);
    },
    kill: () => killAll(group),
    delivered: () => filesIn(join(dataDir, 'mail/bench/Maildir/new')),
  };
}

/** `waybill` with its directories; the command's words follow. */
export const waybillCommand = ({
  configDir,
  dataDir,
}: Pick<WaybillServer, 'configDir' | 'dataDir'>): readonly string[] => {
  const main = join(repository, 'src/cli/main.ts');
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', main];
  return [...node, '--config', configDir, '--data', dataDir];
};

function writeConfig(config: string, port: number, { sink, dead }: Ports): void {
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(config, name)), { recursive: true });
    writeFileSync(join(config, name), text);
  };
  put('waybill.toml', `[listen]\nsmtp = ["127.0.0.1:${port}"]\n`);
  put('control/me', 'bench.test\n');
  put('control/locals', 'local.test\nbench.test\n');
  put('control/rcpthosts', 'local.test\nbench.test\n');
  put('control/smtproutes', `sink.test:127.0.0.1:${sink}\ndead.test:127.0.0.1:${dead}\n`);
  put('control/tcp.smtp', '127.:allow,RELAYCLIENT=""\n');
  // As many as Postfix is given for one mailbox.
  put('control/concurrencylocal', '20\n');
  put('users/assign', '=bench:bench:::mail/bench:::\n.\n');
  put('alias/.qmail-postmaster', '&bench@local.test\n');
}

export function filesIn(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}
