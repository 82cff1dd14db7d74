/**
 * What a role's process runs: `role-main.ts ROLE CONFIG-DIR DATA-DIR`. Its parent is `start`, which talks
 * to it over a channel (`role-channel.ts`): `begin`, `reload`, `retry-all`, `stop`; it answers `ready` and `mistake`.
 *
 * Started by root, a role loads its code as root, for the code may lie where only root may look, then
 * gives its rights up before it does anything else.
 *
 * A role whose parent is gone stops at once: nobody would start it again, and its successor must find
 * the data directory free.
 */
import { mkdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { Config } from '../../control/config.ts';
import { openLogger, wordsOf, type Logger, type OwnLogger } from '../../platform/logger.ts';
import { dropRights, type Becoming } from './drop-rights.ts';
import type { Given, SocketGroups } from './given.ts';
import type { Handed } from './handed.ts';
import type { InheritedListener } from './listeners.ts';
import { channelFd, channelToStart, openRoleChannel, type RoleChannel } from './role-channel.ts';
import type { Running } from './running.ts';
import { closeStrays } from '../../platform/stray-descriptors.ts';

export type RoleName = 'queue' | 'door' | 'remote' | 'local' | 'desk';

/** From `start` to a role. */
export type ToRole =
  | Begin
  | { readonly type: 'reload'; readonly handed: Handed; readonly config: Config }
  | { readonly type: 'retry-all'; readonly by: string; readonly why: string }
  | {
      readonly type: 'role-lost';
      readonly role: string;
      readonly pid: number;
      readonly how: string;
    }
  | { readonly type: 'stop'; readonly why: string };

/** The first message. */
export type Begin = {
  readonly type: 'begin';
  /** As it is in force: what the file says by now may be a mistake, or wait for a restart of all. */
  readonly config: Config;
  readonly handed: Handed;
  /** Absent: whoever we are, we stay. */
  readonly as?: Becoming;
  readonly socketGroups: SocketGroups;
};

/** From a role to `start`. */
export type FromRole =
  | { readonly type: 'ready' }
  | { readonly type: 'mistake'; readonly message: string }
  /** A folder of its own in the data directory is gone, and only root can make it. */
  | { readonly type: 'need-folder'; readonly name: string };

type Run = (config: Config, logger: Logger, given: Given) => Promise<Running>;

/** Each role's code is loaded by its own process only, and all of it: later it may be out of reach. */
const runners: { readonly [R in RoleName]: (config: Config) => Promise<Run> } = {
  queue: async (config) => (await import('./queue-process.ts')).loadQueue(config),
  door: async () => (await import('./door-role.ts')).runDoor,
  remote: async () => (await import('./remote-role.ts')).runRemote,
  local: async () => (await import('./local-role.ts')).runLocal,
  desk: async (config) => (await import('./desk-role.ts')).loadDesk(config),
};

async function main([role = '', listeners = '[]']: readonly string[]): Promise<void> {
  const name = role as RoleName;
  if (!Object.hasOwn(runners, name)) throw new Error('usage: role-main ROLE [LISTENERS]');
  process.title = `waybill ${name}`;
  // A terminal's Ctrl-C and a service manager's TERM reach the whole group; only `start` obeys them,
  // and says to the roles what to do, in the order of a letter's journey.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGALRM'] as const) {
    process.on(signal, () => undefined);
  }
  // Until the role runs there is nothing to finish: an orphan ends at once.
  const endAtOnce = (): never => process.exit(111);
  const given = JSON.parse(listeners) as InheritedListener[];
  closeStrays([channelFd, ...given.map(({ fd }) => fd)]);
  const orders = listen(endAtOnce);
  const logger = openLogger(name);
  const { config, handed, as, socketGroups } = await orders.begun;
  logger.obey(config.stderr.level);
  mkdirSync(`${config.dataDir}/run`, { recursive: true, mode: 0o700 });
  process.chdir(config.dataDir);
  const run = await runners[name](config);
  // For the next start. As root where we are root: what others could write there, we would run.
  flushCompileCache();
  if (as !== undefined) dropRights(as);
  const running = await run(config, logger, {
    ...{ handed, socketGroups },
    listeners: given,
    needFolder: (folder) => tell({ type: 'need-folder', name: folder }),
  });
  obey(running, orders, logger);
  tell({ type: 'ready' });
}

function obey(running: Running, orders: Orders, logger: OwnLogger): void {
  let stopping: Promise<void> | undefined;
  const stop = (why: string): void => {
    stopping ??= running.stop(why).then(
      () => process.exit(),
      (cause: unknown) => {
        logger.error({ cause: wordsOf(cause) }, 'trouble while stopping');
        process.exit(111);
      },
    );
  };
  orders.orphaned = () => {
    // Orphaned: what is under way gets a moment, no more.
    setTimeout(() => process.exit(111), 2_000).unref();
    stop('parent gone');
  };
  orders.hear = (message) => {
    if (message.type === 'stop') stop(message.why);
    if (message.type === 'retry-all') void running.retryAll?.(message.by, message.why);
    if (message.type === 'role-lost') {
      running.roleLost?.(message.role, message.pid, message.how).catch((cause: unknown) => {
        logger.error({ cause: wordsOf(cause) }, 'lost role not recorded');
      });
    }
    if (message.type === 'reload') {
      logger.obey(message.config.stderr.level);
      running.reload(message.handed, message.config).catch((cause: unknown) => {
        logger.error({ cause: wordsOf(cause) }, 'settings not reloaded');
        tell({ type: 'mistake', message: wordsOf(cause) });
      });
    }
  };
}

type Orders = {
  readonly begun: Promise<Begin>;
  hear: (message: ToRole) => void;
  orphaned: () => void;
};

let channel: RoleChannel<FromRole> | undefined;

function listen(orphaned: () => void): Orders {
  const { promise: begun, resolve } = Promise.withResolvers<Begin>();
  const orders: Orders = { begun, orphaned, hear: (message) => resolve(message as Begin) };
  channel = openRoleChannel<ToRole, FromRole>(channelToStart(), {
    hear: (message) => orders.hear(message),
    onEnd: () => orders.orphaned(),
    // Who starts us says what we know, or nothing.
    onTrouble: () => undefined,
  });
  return orders;
}

/** Its kind and a few words, whatever a mistake quotes. */
const tell = (message: FromRole): void =>
  channel?.send(
    'message' in message ? { ...message, message: message.message.slice(0, 4_000) } : message,
  );

main(process.argv.slice(2)).catch((cause: unknown) => {
  tell({ type: 'mistake', message: wordsOf(cause) });
  openLogger('role').error({ cause: wordsOf(cause) }, 'cannot start');
  process.exitCode = 111;
  channel?.close();
});
