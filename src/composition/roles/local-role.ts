/** The role `local`: users' files and programs, one user at a time, under that user's rights where it can. */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { assignDatabase } from '../../aliases/assign-database.ts';
import { parseAssign, type Assignments } from '../../aliases/assign.ts';
import { residents } from '../../aliases/directory.ts';
import { diskDotQmail } from '../../aliases/disk-dot-qmail.ts';
import type { Config } from '../../control/config.ts';
import { controlsInForce } from '../../control/in-force.ts';
import { readOperatorsFile } from '../../control/operators-file.ts';
import { localChannel } from '../../delivery/local/channel.ts';
import { ownIdentity, rootIdentity } from '../../delivery/local/identity.ts';
import { kernelLock } from '../../delivery/local/kernel-lock.ts';
import { systemClock } from '../../platform/clock.ts';
import { leftBehind } from '../../platform/left-behind.ts';
import type { Handlers } from '../../platform/link.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { systemProcesses } from '../../platform/system-processes.ts';
import { serveDirectory } from '../links/directory-link.ts';
import { serveChannel } from '../links/order-link.ts';
import { firstUpMs, steadyLink } from '../links/sockets.ts';
import type { Given } from './given.ts';
import type { Handed } from './handed.ts';
import { accountsFor, rootsAliasUser } from './mail-users.ts';
import { placePrograms } from './place-programs.ts';
import { stripSources } from './strip-sources.ts';
import type { Running } from './running.ts';

/** What programs get of our environment; nothing else of it is theirs. */
const passedOn = ['TZ', 'LANG', 'LC_ALL'] as const;
const usualPath = '/usr/local/bin:/usr/bin:/bin';

export async function runLocal(
  config: Config,
  logger: Logger,
  { handed }: Given,
): Promise<Running> {
  const { handlers, reload } = localHandlers(config, logger, handed);
  const link = steadyLink('local', handlers);
  await link.firstUp(firstUpMs);
  return {
    async reload(newly, newConfig) {
      reload(newly, newConfig.local);
    },
    async stop() {
      link.close();
    },
  };
}

/** The role without its link. */
export function localHandlers(
  config: Config,
  logger: Logger,
  handed: Handed,
): { readonly handlers: Handlers; reload(newly: Handed, local: Config['local']): void } {
  const controls = controlsInForce(handed.controls, config.controlDir);
  let assignments = readAssignments(config.local.users);
  let local = config.local;
  const scratchDirectory = join(config.dataDir, 'scratch');
  mkdirSync(scratchDirectory, { recursive: true, mode: 0o700 });
  const programs = join(config.dataDir, 'bin');
  try {
    placePrograms(programs);
  } catch (cause) {
    // On a full disk those of the last start must do.
    logger.error({ cause: wordsOf(cause) }, 'programs for .qmail files not placed');
  }
  // Where we may not write, programs take their time.
  stripSources().catch(() => undefined);

  const isRoot = process.geteuid?.() === 0;
  const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const identity = isRoot ? rootIdentity(own) : ownIdentity(own);
  const clock = systemClock;
  const processes = systemProcesses({ clock, leftBehind: leftBehind(clock) });
  const aliasUser = () => (isRoot ? rootsAliasUser(config, logger) : { home: config.local.alias });
  let alias = aliasUser();
  const accounts = accountsFor(config.local, own.uid, { processes, clock });
  const directory = residents({
    assignments: () => assignments,
    database: assignDatabase(join(dirname(config.local.users), 'cdb')),
    alias: () => alias,
    ...(accounts && { accounts }),
    dataDirectory: config.dataDir,
    dotQmail: diskDotQmail,
  });
  // Asked once: it is a system call, and every Maildir name has it.
  const hostName = hostname();
  const channel = localChannel({
    ownerOf: (name) => directory.ownerOf(name),
    settings: () => ({
      defaultDelivery: controls.current.controls.defaultdelivery ?? local.defaultDelivery,
      hostName,
      programTimeoutMs: local.programTimeoutMs,
      programProcesses: local.programProcesses,
      maildirQuota: local.maildirQuota,
      overQuota: local.overQuota,
    }),
    ...{ identity, processes, clock, scratchDirectory },
    kernelLock: kernelLock(processes),
    inherited: {
      ...Object.fromEntries(
        passedOn.flatMap((name) => {
          const value = process.env[name];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      // preline, condredirect and the others come first, as qmail's bin/ did.
      PATH: [programs, process.env['PATH'] ?? usualPath].join(':'),
      // So that forward and its like find this engine, wherever it lives.
      WAYBILL_CONFIG: config.dir,
      WAYBILL_DATA: config.dataDir,
    },
    onTrouble: (cause) => logger.error({ cause: wordsOf(cause) }, 'local delivery'),
  });
  return {
    handlers: { ...serveChannel(channel), ...serveDirectory(directory) },
    reload(newly, newLocal) {
      // Either all of it or nothing.
      const newAssignments = readAssignments(config.local.users);
      const newAlias = aliasUser();
      controls.reload(newly.controls);
      assignments = newAssignments;
      alias = newAlias;
      local = newLocal;
    },
  };
}

/** No file: no assignments, as with qmail. */
function readAssignments(file: string): Assignments | undefined {
  const bytes = readOperatorsFile(file);
  return bytes && parseAssign(bytes.toString('utf8'), file);
}
