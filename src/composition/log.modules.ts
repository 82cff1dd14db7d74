/** The engines of log and spool, one module each; `logModule` picks. */
import { ContainerModule, type ServiceIdentifier } from 'inversify';
import type { Config } from '../control/config.ts';
import { MemoryLog } from '../log/memory/memory-log.ts';
import { logFile } from '../log/sqlite/log-file.ts';
import { SqliteLog } from '../log/sqlite/sqlite-log.ts';
import { threadedHand } from '../log/sqlite/threaded-hand.ts';
import type { DiskSpool } from '../spool/disk/disk-spool.ts';
import { makeLastingFolder } from '../platform/sync-path.ts';
import { memorySpool } from '../spool/memory/memory-spool.ts';
import { openRoom } from '../spool/room.ts';
import { spoolOf } from './spool-of-log.ts';
import * as t from './tokens.ts';

/** Where things lie, relative to the data directory, which is the working directory of the role. */
export const checkpointFile = 'checkpoints/agenda';

/** The engine that the configuration names; a client of an event store is loaded only where there is one. */
export async function logModule({
  log,
  dir,
}: Pick<Config, 'log' | 'dir'>): Promise<ContainerModule> {
  if (log.eventStore === undefined) return log.engine === 'memory' ? memoryModule : sqliteModule;
  return (await import('./kurrent.module.ts')).kurrentModule(log.eventStore, dir);
}

/** Free bytes that a disk which was full must have again: a few letters, not only a few words. */
const enoughToGoOn = 1024 * 1024;

const Engine: ServiceIdentifier<SqliteLog> = Symbol.for('waybill.SqliteLog');
const Disk: ServiceIdentifier<DiskSpool> = Symbol.for('waybill.DiskSpool');

/** The default: one SQLite file, small bodies in it. */
const sqliteModule = new ContainerModule(({ bind }) => {
  makeLastingFolder('log', 0o700);
  bind(Engine)
    .toResolvedValue(
      (logger, troubles) =>
        new SqliteLog(logFile, {
          hand: threadedHand,
          onTrouble: (trouble) => troubles.next(trouble),
          onDamage: (damage) => logger.error({ damage }, 'damaged event quarantined'),
        }),
      [t.Logger, t.LogTroubles],
    )
    .inSingletonScope();
  bind(t.EventLog).toService(Engine);
  bind(t.ClearedLog)
    .toResolvedValue((log: SqliteLog) => () => log.cleared, [Engine])
    .inSingletonScope();
  bind(Disk).toResolvedValue(spoolOf, [Engine]).inSingletonScope();
  bind(t.Room)
    .toResolvedValue(
      (log: SqliteLog, { log: { minFreeBytes } }, clock) =>
        openRoom({
          ...{ directory: '.', leastBytes: minFreeBytes, clock },
          spareBytes: () => log.spareBytes(),
        }),
      [Engine, t.ConfigToken, t.Clock],
    )
    .inSingletonScope();
  bind(t.HasRoom)
    .toResolvedValue(
      (log: SqliteLog, clock) => {
        const room = openRoom({
          ...{ directory: '.', leastBytes: enoughToGoOn, clock },
          spareBytes: () => log.spareBytes(),
        });
        return () => room() === undefined;
      },
      [Engine, t.Clock],
    )
    .inSingletonScope();
  bind(t.Spool).toService(Disk);
  bind(t.Sweep)
    .toResolvedValue(
      (disk: DiskSpool, clock) => (isNeeded) => disk.sweep(clock.now(), isNeeded),
      [Disk, t.Clock],
    )
    .inSingletonScope();
});

/** Everything in memory: for tests, and for trying things out. Nothing survives a stop. */
const memoryModule = new ContainerModule(({ bind }) => {
  const bodies = new Map<string, Uint8Array>();
  bind(t.EventLog).toConstantValue(new MemoryLog(bodies));
  bind(t.Spool).toConstantValue(memorySpool(bodies));
  bind(t.Sweep).toConstantValue(async () => 0);
  bind(t.ClearedLog).toConstantValue(() => undefined);
  bind(t.Room).toConstantValue(() => undefined);
  bind(t.HasRoom).toConstantValue(() => true);
});
