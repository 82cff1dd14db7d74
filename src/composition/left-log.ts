/**
 * A data directory whose engine has begun to keep its log in an event store, and whose embedded log stayed behind. Who
 * started on that one again would deliver a second time what has been delivered since.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../control/config.ts';
import { withoutSecrets } from '../control/event-store-address.ts';
import { logFile } from '../log/sqlite/log-file.ts';
import { ControlMistake } from '../mail/trouble.ts';
import { safeLine } from '../mail/sanitize.ts';

const markOf = (dataDir: string): string => join(dataDir, `${logFile}.left`);

type Place = Pick<Config, 'log' | 'dataDir'>;

/** On an engine's way to an event store: what stays behind is marked, once. */
export function markLeftLog({ log, dataDir }: Place, now: string): void {
  const mark = markOf(dataDir);
  if (log.eventStore === undefined || !existsSync(join(dataDir, logFile)) || existsSync(mark))
    return;
  writeFileSync(mark, `since ${now} in ${withoutSecrets(log.eventStore.url)}\n`, { mode: 0o600 });
}

/** Throws `ControlMistake` for an embedded log that was left behind. */
export function refuseLeftLog({ log, dataDir }: Place): void {
  const mark = markOf(dataDir);
  if (log.engine !== 'sqlite' || !existsSync(mark)) return;
  const where = safeLine(readFileSync(mark, 'utf8').trim(), 200);
  throw new ControlMistake(
    mark,
    undefined,
    `this engine's log is ${where}: on this old one it would deliver again what was delivered there. ` +
      'Bring it back with `waybill log copy --from kurrentdb --to sqlite`, ' +
      'or remove this file if nothing was delivered since',
  );
}

/** The embedded log is all there again. */
export const forgetLeft = (dataDir: string): void => rmSync(markOf(dataDir), { force: true });
