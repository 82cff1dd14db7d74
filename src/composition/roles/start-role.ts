/**
 * The role `start` (qmail-start, tcpserver, supervise in one): opens the listening sockets, starts the
 * others, starts again what dies. Parses nothing that came from a network. Started by root, it stays
 * root: what only root may read or open it hands to the others, which give root's rights up.
 *
 * Stops in the order of a letter's journey: doors first, then the queue with its attempts, then the channels.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { reloadOf, type Reload } from '../../control/config-reload.ts';
import { readConfigText, toConfig, type Config } from '../../control/config.ts';
import { systemClock } from '../../platform/clock.ts';
import { wordsOf, type Logger, type OwnLogger } from '../../platform/logger.ts';
import { nowAndThen } from '../../platform/now-and-then.ts';
import { markLeftLog, refuseLeftLog } from '../left-log.ts';
import { beginFor, prepareGround } from './begin.ts';
import { remakeFolder } from './data-directory.ts';
import { handedTo, readHanded } from './handed.ts';
import { heedPassword } from './heed-password.ts';
import { bind, bindAll, type BoundSocket } from './listeners.ts';
import type { Begin, FromRole, RoleName, ToRole } from './role-main.ts';
import { mostOfARole, openRoleChannel, type RoleChannel } from './role-channel.ts';
import { hasDesk } from './role-users.ts';
import type { Running } from './running.ts';

type Child = {
  readonly role: RoleName;
  process: ChildProcess | undefined;
  channel: RoleChannel<ToRole> | undefined;
  /** Resolves when the role is up for the first time; rejects when it cannot be, in its own words. */
  readonly up: PromiseWithResolvers<void>;
  /** Resolves when the process that runs now has ended. */
  ended: Promise<void>;
  ready: boolean;
  stopping: boolean;
  restarts: number;
};

export type Started = Omit<Running, 'reload'> & {
  /** SIGHUP: reads the operator's files again; throws `ControlMistake`, and tells nobody, when they are wrong. */
  reload(): Promise<void>;
  readonly sockets: readonly BoundSocket[];
  /** Process ids by role, for tests and for the curious. */
  pids(): readonly { readonly role: RoleName; readonly pid: number }[];
};

/** A role that dies again and again is started ever more slowly, up to this. */
const longestPauseMs = 10_000;

/** The same for one that the mail does without. */
const longestDeskPauseMs = 300_000;

/** A role that ran so long without dying is forgiven its past. */
const forgivenMs = 60_000;

export async function runStart(config: Config, logger: OwnLogger): Promise<Started> {
  const readText = () => readConfigText({ dir: config.dir, env: process.env });
  let text = readText();
  let inForce = config;
  refuseLeftLog(config);
  let handed = readHanded(config);
  const users = await prepareGround(config, logger);
  markLeftLog(config, new Date(systemClock.now()).toISOString());
  const sockets = [...bindAll(config), ...deskSocket(config, logger)];
  const begin = (role: RoleName): Begin => beginFor(role, inForce, handed, users);
  const children: Child[] = [];
  const remake = (name: string): void => {
    try {
      if (users === undefined || !remakeFolder(config.dataDir, name, users)) return;
      logger.warn({ data: config.dataDir, name }, 'a folder of the desk was gone: made again');
    } catch (cause) {
      logger.error({ name, cause: wordsOf(cause) }, 'a folder of the desk cannot be made again');
    }
  };
  const doors = Array.from({ length: config.door.processes }, (): RoleName => 'door');
  try {
    const lost = lostRoles(children);
    // Doors beside the queue, so that clients are greeted soon; the channels after them, for a letter
    // can wait longer than a client.
    for (const stage of [
      ['queue', ...doors],
      ['local', 'remote'],
    ] as const) {
      const started = stage.map((role) => launch(role, sockets, begin, logger, lost, remake));
      children.push(...started);
      await Promise.all(started.map(({ up }) => up.promise));
    }
    // Nobody waits for it: watching costs the mail nothing.
    if (hasDesk(config) && (users === undefined || users.desk !== undefined)) {
      children.push(launch('desk', sockets, begin, logger, lost, remake));
    }
  } catch (cause) {
    for (const child of children) end(child, 'cannot start');
    for (const socket of sockets) socket.close();
    throw cause;
  }
  const heedNoMore = heedPassword({
    ...{ config, logger, handed: () => handed },
    tell(newly) {
      handed = newly;
      const desk = children.find(({ role }) => role === 'desk')?.channel;
      desk?.send({ type: 'reload', handed: handedTo('desk', handed), config: inForce });
    },
  });
  return {
    sockets,
    pids: () =>
      children.flatMap(({ role, process: running }) =>
        running?.pid === undefined ? [] : [{ role, pid: running.pid }],
      ),
    async reload() {
      const reload = reloadOf(text, readText());
      const newly = toConfig(reload.text, config.dir, config.dataDir);
      handed = readHanded(newly);
      ({ text } = reload);
      inForce = newly;
      logger.obey(newly.stderr.level);
      tellReload(reload, logger);
      for (const { role, channel } of children) {
        channel?.send({ type: 'reload', handed: handedTo(role, handed), config: newly });
      }
    },
    async retryAll(by, why) {
      const queue = children.find(({ role }) => role === 'queue');
      queue?.channel?.send({ type: 'retry-all', by, why });
    },
    async stop(why) {
      heedNoMore();
      for (const stage of [['door'], ['queue'], ['local', 'remote', 'desk']] as const) {
        const ending = children.filter(({ role }) => (stage as readonly RoleName[]).includes(role));
        for (const child of ending) end(child, why);
        await Promise.all(ending.map(({ ended }) => ended));
      }
      for (const socket of sockets) socket.close();
    },
  };
}

function tellReload({ obeyed, waiting }: Reload, logger: Logger): void {
  if (obeyed.length > 0) logger.info({ settings: obeyed }, 'changed in waybill.toml');
  if (waiting.length === 0) return;
  logger.warn({ settings: waiting }, 'changed in waybill.toml, but they take a restart');
}

function launch(
  role: RoleName,
  sockets: readonly BoundSocket[],
  begin: (role: RoleName) => Begin,
  logger: Logger,
  lost: LostRoles,
  remake: (folder: string) => void,
): Child {
  const child: Child = {
    ...{ role, process: undefined, channel: undefined, ready: false, stopping: false, restarts: 0 },
    up: Promise.withResolvers(),
    ended: Promise.resolve(),
  };
  child.up.promise.catch(() => undefined);
  const onTrouble = nowAndThen(systemClock, (cause, times) =>
    logger.error(
      { role, cause: wordsOf(cause), times: times + 1 },
      'a role says what is no message',
    ),
  );
  const run = (): void => {
    const startedAt = performance.now();
    child.process = spawnRole(role, sockets);
    const pid = child.process.pid ?? 0;
    const hear = (message: FromRole): void => {
      if (message.type === 'mistake') {
        child.up.reject(new Error(message.message));
        return;
      }
      if (message.type === 'need-folder') {
        if (role === 'desk') remake(message.name);
        return;
      }
      child.ready = true;
      child.up.resolve();
      if (role === 'queue') lost.tellPending();
    };
    child.channel = openRoleChannel<FromRole, ToRole>(child.process.stdio[3] as Duplex, {
      ...{ hear, onTrouble, mostBytes: mostOfARole },
    });
    // To one that ends at once there is nothing to say; its `exit` tells.
    child.channel.send(begin(role));
    child.process.once('error', (cause) => child.up.reject(new Error(wordsOf(cause))));
    child.ended = new Promise((resolve) => {
      child.process!.once('exit', (code, signal) => {
        resolve();
        // Before it was ready it could not: that ends the start. Unless it was killed, which says nothing.
        const couldNot = !child.ready && signal === null && role !== 'desk';
        if (child.stopping || couldNot) {
          child.up.reject(new Error(`${role} ended`));
          return;
        }
        if (performance.now() - startedAt > forgivenMs) child.restarts = 0;
        const longest = role === 'desk' ? longestDeskPauseMs : longestPauseMs;
        const pauseMs = Math.min(longest, 50 * 2 ** child.restarts);
        child.restarts += 1;
        logger.error({ lost: role, code, signal, pauseMs }, 'a role died; starting it again');
        lost.note(role, pid, signal ?? `exit ${code}`);
        setTimeout(() => {
          if (!child.stopping) run();
        }, pauseMs);
      });
    });
  };
  run();
  return child;
}

/** A port that is taken keeps the page away, and no letter. */
function deskSocket(config: Config, logger: Logger): BoundSocket[] {
  const { listen } = config.desk;
  if (!hasDesk(config) || listen === undefined) return [];
  try {
    return [bind('desk', listen)];
  } catch (cause) {
    logger.error({ cause: wordsOf(cause) }, 'no web page: see [desk] listen in waybill.toml');
    return [];
  }
}

type LostRoles = {
  note(role: RoleName, pid: number, how: string): void;
  tellPending(): void;
};

/** A lost role is an event; when it was the queue itself, the next one writes it down. */
function lostRoles(children: readonly Child[]): LostRoles {
  let pending: ToRole[] = [];
  const tellPending = (): void => {
    const queue = children.find(({ role, ready }) => role === 'queue' && ready)?.channel;
    if (queue?.isOpen !== true) return;
    for (const message of pending) queue.send(message);
    pending = [];
  };
  return {
    tellPending,
    note(role, pid, how) {
      pending.push({ type: 'role-lost', role, pid, how });
      if (role !== 'queue') tellPending();
    },
  };
}

function spawnRole(role: RoleName, sockets: readonly BoundSocket[]): ChildProcess {
  // Descriptors 0 to 2, its channel to us at 3, then the listening sockets: the doors' or the desk's.
  const inherited = sockets.filter(({ kind }) => role === (kind === 'desk' ? 'desk' : 'door'));
  const listeners = inherited.map(({ kind, isProxied }, index) => ({
    ...{ kind, fd: 4 + index, isProxied },
  }));
  const args = [roleMain, role, JSON.stringify(listeners)];
  return spawn(process.execPath, [...nodeFlags(role), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe', ...inherited.map(({ fd }) => fd)],
    env: { ...compiled(), ...fewArenas, ...threads[role], ...process.env },
  });
}

/**
 * A small nursery: what a letter leaves behind is garbage within milliseconds. Means of six runs of 16,000
 * relayed letters, all roles: 512 µs of CPU a letter and 380 MB with 4 MiB, 484 and 405 with 8, 472 and 429
 * with 16 in the queue.
 */
const nodeFlags = (role: RoleName): readonly string[] => [
  '--disable-warning=ExperimentalWarning',
  // A batch of the views is remembered until it is written.
  `--max-semi-space-size=${role === 'desk' ? 16 : 8}`,
];

/** glibc keeps a heap per thread, up to eight a core, and seldom gives any back: 10 to 20 MB over all roles. */
const fewArenas = { MALLOC_ARENA_MAX: '2' };

/** Deliveries at once each wait for a sync of their own in one of libuv's threads. */
const threads: { readonly [R in RoleName]?: Readonly<Record<string, string>> } = {
  local: { UV_THREADPOOL_SIZE: '16' },
};

/** Roles find the code as an earlier start compiled it, where the command line keeps it. */
function compiled(): Readonly<Record<string, string>> {
  const directory = getCompileCacheDir();
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}

/** `.ts` in a clone, `.js` once built. */
const roleMain = ['./role-main.ts', './role-main.js']
  .map((name) => fileURLToPath(new URL(name, import.meta.url)))
  .find((path) => existsSync(path))!;

function end(child: Child, why: string): void {
  child.stopping = true;
  const { process: running, channel } = child;
  if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
  if (channel?.isOpen === true) channel.send({ type: 'stop', why });
  else running.kill('SIGTERM');
}
