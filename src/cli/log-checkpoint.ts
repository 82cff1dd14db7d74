/** `waybill log --checkpoint NAME`: from where the consumer stands, and its position moved on as it handles. */
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { openConsumer, type Consumer } from '../consumers/consumer.ts';
import { consumersFolder } from '../consumers/names.ts';
import type { Position } from '../log/ports.ts';
import {
  stdoutIsFile,
  syncStdout,
  toAnswering,
  toKeeper,
  toPipe,
  type Handed,
  type Handover,
} from './handover.ts';
import type { OpenedLog } from './open-log.ts';

export type Keeping = {
  /** Takes the name; returns the position after which to go on. */
  take(opened: OpenedLog): Promise<Position>;
  leaving(handed: Handed): void;
  page(handed: Handed): Promise<void>;
  settled(): Promise<void>;
  readonly over: boolean;
  /** Writes the position and lets go of the name. */
  release(): Promise<void>;
  end(): void;
};

export function keepCheckpoint(name: string, ack: boolean): Keeping {
  let consumer: Consumer | undefined;
  let failure: Error | undefined;
  const told = (position: Position): void => {
    consumer?.handled(position).catch((cause: Error) => (failure ??= cause));
  };
  const refuseFailure = (): void => {
    if (failure !== undefined) throw failure;
  };
  const handover = handoverTo(told, ack);
  return {
    async take({ log, files }) {
      consumer = await openConsumer({
        ...{ log, name, directory: join(files.directory, consumersFolder) },
        ...(stdoutIsFile() ? { beforeSave: syncStdout } : {}),
      });
      return consumer.position;
    },
    leaving: (handed) => handover.leaving(handed),
    async page(handed) {
      await handover.page(handed);
      refuseFailure();
    },
    async settled() {
      await handover.settled();
      refuseFailure();
    },
    get over() {
      return handover.over;
    },
    async release() {
      const held = consumer;
      consumer = undefined;
      await held?.close();
    },
    end: () => handover.close(),
  };
}

function handoverTo(told: (position: Position) => void, ack: boolean): Handover {
  if (ack) return toAnswering(told);
  return stdoutIsFile() || isatty(1) ? toKeeper(told) : toPipe(told);
}
