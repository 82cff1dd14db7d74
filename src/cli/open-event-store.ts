/** The log of an event store as a command sees it: dialled when the question is asked, let go of when it is answered. */
import { join, resolve } from 'node:path';
import type { EventStore } from '../control/config.ts';
import { toAddress } from '../control/event-store-address.ts';
import { oddityOf } from '../log/event-shapes.ts';
import type { Damage } from '../log/ports.ts';
import { openAtHand } from '../log/kurrentdb/at-hand.ts';
import { Connection } from '../log/kurrentdb/connection.ts';
import { checkedPieces } from '../queue/checked-pieces.ts';
import { sharedSpool } from '../spool/disk/shared-spool.ts';
import { kurrentSpool } from '../spool/kurrentdb/kurrent-spool.ts';
import { openPast } from '../past/past-queue.ts';
import { historyFolder } from '../past/ports.ts';
import { findLetterLater } from '../trace/letter-name.ts';
import { readNodeHistory } from '../trace/rules-of-the-day.ts';
import { parseMessageId } from '../mail/message-id.ts';
import type { OpenedLog } from './open-log.ts';
import { dataFiles, type Places } from './places.ts';

export async function withEventStore<T>(
  { config, data }: Places,
  { url, credentialsFile, bodyDirectory }: EventStore,
  use: (opened: OpenedLog) => Promise<T>,
  onDamage: (damage: Damage) => void,
): Promise<T> {
  const connection = new Connection({
    address: toAddress({ url, credentialsFile, directory: config }),
  });
  const { log: hand, letters, category, ...log } = openAtHand(connection, onDamage, oddityOf);
  const spool = bodyDirectory === undefined ? kurrentSpool(connection) : sharedSpool(bodyDirectory);
  try {
    return await use({
      ...{ log, files: dataFiles(data), unit: 'bytes', streams: category },
      // A whole id needs no search.
      letter: async (text) =>
        parseMessageId(text) ?? (await findLetterLater(text, (part, most) => letters(part, most))),
      // The event store knows no time; the marks of the past do.
      positionAt: (instant) =>
        openPast({ log, directory: join(resolve(data), historyFolder) }).positionAt(instant),
      nodeHistory: async (upTo) => readNodeHistory(log, await category('node'), upTo),
      body: (ref) => checkedPieces(ref, (offset, length) => spool.read(ref, offset, length)),
      writer: async () => ({
        ...log,
        append: (...asked) => hand.append(...asked),
        // It is closed with the question.
        close: async () => undefined,
      }),
    });
  } finally {
    await log.close();
  }
}
