/** Log and spool in an event store: who asks for them loads its client. */
import { ContainerModule, type ServiceIdentifier } from 'inversify';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { EventStore } from '../control/config.ts';
import { toAddress, withoutSecrets } from '../control/event-store-address.ts';
import { oddityOf } from '../log/event-shapes.ts';
import { Connection } from '../log/kurrentdb/connection.ts';
import { KurrentLog } from '../log/kurrentdb/kurrent-log.ts';
import { systemClock } from '../platform/clock.ts';
import { nowAndThen } from '../platform/now-and-then.ts';
import { replaceFile } from '../platform/replace-file.ts';
import type { DiskSpool } from '../spool/disk/disk-spool.ts';
import { carriedByDisk, sharedSpool } from '../spool/disk/shared-spool.ts';
import { kurrentSpool, type KurrentSpool } from '../spool/kurrentdb/kurrent-spool.ts';
import { sweepBodies } from '../spool/kurrentdb/sweep.ts';
import { openRoom } from '../spool/room.ts';
import * as t from './tokens.ts';

const sweptFile = 'checkpoints/bodies-swept';

type Connections = {
  readonly main: Connection;
  /** For appends when there are many. */
  readonly more: readonly Connection[];
  /** Large bodies would hold up the events. */
  readonly bodies: Connection;
};

/** Fifteen appends each, besides the main one's. */
const moreConnections = 3;

const Dialled: ServiceIdentifier<Connections> = Symbol.for('waybill.EventStoreConnections');
const Engine: ServiceIdentifier<KurrentLog> = Symbol.for('waybill.KurrentLog');
const InStore: ServiceIdentifier<KurrentSpool> = Symbol.for('waybill.KurrentSpool');
const OnDisk: ServiceIdentifier<DiskSpool> = Symbol.for('waybill.SharedSpool');

/**
 * Reads the credentials and loads the client now: later both may be out of reach.
 * `dir`: where the address's relative files start.
 */
export async function kurrentModule(store: EventStore, dir: string): Promise<ContainerModule> {
  const { url, credentialsFile, bodyDirectory } = store;
  const address = toAddress({ url, credentialsFile, directory: dir });
  await new Connection({ address }).load();
  return new ContainerModule(({ bind }) => {
    bind(Dialled)
      .toResolvedValue(
        (logger) => {
          const where = withoutSecrets(url);
          const tell = nowAndThen(systemClock, (why, times) =>
            logger.warn({ why, times: times + 1, where }, 'the event store is dialled anew'),
          );
          const dial = () => new Connection({ address, onReplaced: tell });
          const more = Array.from({ length: moreConnections }, dial);
          return { main: dial(), more, bodies: dial() };
        },
        [t.Logger],
      )
      .inSingletonScope();
    bind(t.EventLog).toService(Engine);
    bind(t.SharedLog).toService(Engine);
    bind(t.ClearedLog).toConstantValue(() => undefined);
    if (bodyDirectory === undefined) bodiesInStore({ bind });
    else bodiesOnDisk({ bind }, bodyDirectory);
  });
}

type Binder = Pick<Parameters<ConstructorParameters<typeof ContainerModule>[0]>[0], 'bind'>;
type Carry = KurrentSpool['carry'];

function bindEngine({ bind }: Binder, carrier: ServiceIdentifier<{ carry: Carry }>): void {
  bind(Engine)
    .toResolvedValue(
      ({ main, more, bodies }: Connections, { carry }: { carry: Carry }, logger, troubles) =>
        new KurrentLog({
          ...{ connection: main, more, besides: [bodies], carry, oddity: oddityOf },
          onTrouble: (trouble) => troubles.next(trouble),
          onDamage: (damage) => logger.error({ damage }, 'odd event passed over'),
          onBroken: nowAndThen(systemClock, (why, times) =>
            logger.warn({ why, times: times + 1 }, 'the subscription to the log is begun anew'),
          ),
        }),
      [Dialled, carrier, t.Logger, t.LogTroubles],
    )
    .inSingletonScope();
}

function bodiesInStore({ bind }: Binder): void {
  bind(InStore)
    .toResolvedValue(({ bodies }: Connections) => kurrentSpool(bodies), [Dialled])
    .inSingletonScope();
  bindEngine({ bind }, InStore);
  bind(t.Spool).toService(InStore);
  bind(t.Room).toConstantValue(() => undefined);
  bind(t.HasRoom).toConstantValue(() => true);
  bind(t.Sweep)
    .toResolvedValue(
      ({ bodies }: Connections, log: KurrentLog, spool: KurrentSpool, clock) =>
        async (isNeeded) => {
          const from = readSwept();
          const parts = { connection: bodies, log, spool, isNeeded, from, now: clock.now() };
          const { removed, upTo } = await sweepBodies(parts);
          replaceFile({
            ...{ target: sweptFile, temporary: `${sweptFile}.new`, mode: 0o600 },
            pieces: [Buffer.from(`${upTo}\n`)],
          });
          return removed;
        },
      [Dialled, Engine, InStore, t.Clock],
    )
    .inSingletonScope();
}

/** Another node's directory, or none yet: everything is looked over once more. */
function readSwept(): number {
  const text = existsSync(sweptFile) ? readFileSync(sweptFile, 'utf8').trim() : '';
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

function bodiesOnDisk({ bind }: Binder, directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  bind(OnDisk).toConstantValue(sharedSpool(directory));
  const Carrier: ServiceIdentifier<{ carry: Carry }> = Symbol.for('waybill.BodyCarrier');
  bind(Carrier)
    .toResolvedValue((spool: DiskSpool) => ({ carry: carriedByDisk(spool) }), [OnDisk])
    .inSingletonScope();
  bindEngine({ bind }, Carrier);
  bind(t.Spool).toService(OnDisk);
  bind(t.Sweep)
    .toResolvedValue(
      (spool: DiskSpool, clock) => (isNeeded) => spool.sweep(clock.now(), isNeeded),
      [OnDisk, t.Clock],
    )
    .inSingletonScope();
  bind(t.Room)
    .toResolvedValue(
      ({ log: { minFreeBytes } }, clock) =>
        openRoom({ directory, leastBytes: minFreeBytes, spareBytes: () => 0, clock }),
      [t.ConfigToken, t.Clock],
    )
    .inSingletonScope();
  bind(t.HasRoom).toConstantValue(() => true);
}
