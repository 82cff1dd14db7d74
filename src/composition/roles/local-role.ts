/** The role `local`: users' files and programs, one user at a time, under that user's rights where it can. */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { assignDatabase } from '../../aliases/assign-database.ts';
import { parseAssign, type Assignments } from '../../aliases/assign.ts';
import { residents } from '../../aliases/directory.ts';
import { diskDotQmail } from '../../aliases/disk-dot-qmail.ts';
import type { Config } from '../../control/config.ts';
import { controlsInForce, type ControlsInForce } from '../../control/in-force.ts';
import { readOperatorsFile } from '../../control/operators-file.ts';
import { localChannel } from '../../delivery/local/channel.ts';
import type { LocalSettings } from '../../delivery/local/delivery.ts';
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
function localHandlers(
  config: Config,
  logger: Logger,
  handed: Handed,
): { readonly handlers: Handlers; reload(newly: Handed, local: Config['local']): void } {
  const controls = controlsInForce(handed.controls, config.controlDir);
  const rules = rulesInForce(config, logger);
  const clock = systemClock;
  const processes = systemProcesses({ clock, leftBehind: leftBehind(clock) });
  const accounts = accountsFor(config.local, ownIds().uid, { processes, clock });
  const directory = residents({
    assignments: () => rules.current.assignments,
    database: assignDatabase(join(dirname(config.local.users), 'cdb')),
    alias: () => rules.current.alias,
    ...(accounts && { accounts }),
    dataDirectory: config.dataDir,
    dotQmail: diskDotQmail,
  });
  const channel = localChannel({
    ownerOf: (name) => directory.ownerOf(name),
    settings: settingsIn(controls, rules),
    ...{ identity: isRoot() ? rootIdentity(ownIds()) : ownIdentity(ownIds()), processes, clock },
    scratchDirectory: makeScratch(config.dataDir),
    kernelLock: kernelLock(processes),
    inherited: inheritedFor(config, placeTools(config.dataDir, logger)),
    onTrouble: (cause) => logger.error({ cause: wordsOf(cause) }, 'local delivery'),
  });
  return {
    handlers: { ...serveChannel(channel), ...serveDirectory(directory) },
    reload(newly, local) {
      // Either all of it or nothing: what cannot be read throws before anything has changed.
      const next = rules.read(local);
      controls.reload(newly.controls);
      rules.current = next;
    },
  };
}

const isRoot = (): boolean => process.geteuid?.() === 0;
const ownIds = () => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });

/** Whose mail is whose, and how it is delivered, as of the last reload. */
function rulesInForce(config: Config, logger: Logger) {
  const read = (local: Config['local']) => ({
    local,
    assignments: readAssignments(config.local.users),
    alias: isRoot() ? rootsAliasUser(config, logger) : { home: config.local.alias },
  });
  return { read, current: read(config.local) };
}

/** Asked for each delivery. */
function settingsIn(
  controls: ControlsInForce,
  rules: ReturnType<typeof rulesInForce>,
): () => LocalSettings {
  // Asked once: it is a system call, and every Maildir name has it.
  const hostName = hostname();
  return () => {
    const { local } = rules.current;
    return {
      defaultDelivery: controls.current.controls.defaultdelivery ?? local.defaultDelivery,
      hostName,
      programTimeoutMs: local.programTimeoutMs,
      programProcesses: local.programProcesses,
      maildirQuota: local.maildirQuota,
      overQuota: local.overQuota,
    };
  };
}

/** Where letters for programs are made, each a file without a name (`delivery/local/scratch.ts`). */
function makeScratch(dataDir: string): string {
  const scratch = join(dataDir, 'scratch');
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  return scratch;
}

/** qmail's programs, for the lines of `.qmail` files; returns their directory. */
function placeTools(dataDir: string, logger: Logger): string {
  const programs = join(dataDir, 'bin');
  try {
    placePrograms(programs);
  } catch (cause) {
    // On a full disk those of the last start must do.
    logger.error({ cause: wordsOf(cause) }, 'programs for .qmail files not placed');
  }
  // Where we may not write, programs take their time.
  stripSources().catch(() => undefined);
  return programs;
}

/** What programs of `.qmail` files find in their environment, besides what is said of the letter. */
const inheritedFor = (config: Config, programs: string): { readonly [name: string]: string } => ({
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
});

/** No file: no assignments, as with qmail. */
function readAssignments(file: string): Assignments | undefined {
  const bytes = readOperatorsFile(file);
  return bytes && parseAssign(bytes.toString('utf8'), file);
}
