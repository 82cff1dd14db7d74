/**
 * The queue without its engine: whoever owns the log may put a letter into it while nobody else
 * writes there; the engine finds it when it starts. qmail-queue works while qmail-send is down, too.
 * Loaded only when it is needed: nearly all of the engine comes along.
 */
import { join } from 'node:path';
import { hostname } from 'node:os';
import { directIntake } from '../../../composition/links/direct-intake.ts';
import { spoolOf } from '../../../composition/spool-of-log.ts';
import { readConfig } from '../../../control/config.ts';
import { readControls } from '../../../control/disk.ts';
import { openNodeLog } from '../../../control/node-log.ts';
import { incomingLetter } from '../../../ingress/inject/incoming.ts';
import type { Intake } from '../../../ingress/ports.ts';
import { logFile } from '../../../log/sqlite/log-file.ts';
import { SqliteLog } from '../../../log/sqlite/sqlite-log.ts';
import { isTrouble } from '../../../mail/trouble.ts';
import { systemClock } from '../../../platform/clock.ts';
import { openBodies } from '../../../queue/bodies.ts';
import { queueIntake } from '../../../queue/intake.ts';
import { openLetters } from '../../../queue/letters.ts';
import { toRoutingRules } from '../../../queue/routing.ts';
import type { EngineCall } from './engine-call.ts';
import type { Places } from './places.ts';
import { QueueTrouble } from './queue-trouble.ts';

/** Must be called with the data directory as working directory, by the owner of the log. Throws `QueueTrouble` 73 when somebody writes there. */
export async function callAlone(places: Places, user: string): Promise<EngineCall> {
  const { log: settings } = readConfig({ dir: places.config, env: process.env, data: '.' });
  // A letter in a log that no engine reads would be a lost one.
  if (settings.engine !== 'sqlite') {
    throw new QueueTrouble(73, 'no engine runs here, and only one can write to its log');
  }
  const log = openLog();
  try {
    return callInto(log, await openIntake(log, places.config, settings.copyTo), user);
  } catch (cause) {
    await log.close();
    throw cause;
  }
}

/** The letters say by which rules they were routed; so these must be in the log. */
async function openIntake(
  log: SqliteLog,
  config: string,
  copyTo: string | undefined,
): Promise<Intake> {
  const { controls, digest, files } = readControls(join(config, 'control'));
  const node = openNodeLog(log, controls.me ?? hostname(), systemClock);
  await node.tell({ type: 'ControlsLoaded', data: { digest, files } });
  const spool = spoolOf(log);
  const queue = queueIntake({
    ...{ letters: openLetters({ log }), bodies: openBodies(spool), clock: systemClock },
    rules: () => ({ routing: toRoutingRules(controls), digest }),
    copyTo,
  });
  return directIntake({ queue, spool, clock: systemClock });
}

function callInto(log: SqliteLog, intake: Intake, user: string): EngineCall {
  const caller = () => ({ uid: process.getuid?.() ?? 0, pid: process.pid, user });
  const fresh = () => incomingLetter(intake.begin(), { clock: systemClock, caller });
  let letter = fresh();
  return {
    get id() {
      return letter.id;
    },
    to: async (recipients) => letter.to(recipients),
    write: (bytes) => letter.write(bytes),
    async accept({ sender, recipients }, bytes) {
      letter.to(recipients);
      await letter.write(bytes);
      const id = await letter.accept(sender);
      letter = fresh();
      return id;
    },
    async abandon() {
      letter.abandon();
      letter = fresh();
    },
    async close() {
      letter.abandon();
      await log.close();
    },
  };
}

function openLog(): SqliteLog {
  try {
    return new SqliteLog(logFile);
  } catch (cause) {
    // An engine that is just starting, or stopping: the caller tries again.
    if (isTrouble(cause, 'log-in-use')) throw new QueueTrouble(73, cause.message);
    throw cause;
  }
}
