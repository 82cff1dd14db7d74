/** The views as the desk keeps them: computed from the log when there are none, then kept up with it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { from } from 'rxjs';
import type { ConsumerParts, ConsumerState, LogConsumer } from '../log/consumer.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Logger } from '../platform/logger.ts';
import { buildViews, refuseFullDisk } from './build.ts';
import type { OnOdd } from './fold-page.ts';
import { isOf, openProjector, type Projector } from './projector.ts';
import { viewsFolder } from './ports.ts';
import { openServed, readMeta, servedFile } from './sqlite/files.ts';

/** How often the log is asked for news. */
const pollMs = 250;
/** Somebody else computes the views: how often to look whether they are there. */
const waitMs = 1_000;
/** Words about a long build. */
const tellMs = 10_000;

export const viewsConsumer: LogConsumer = {
  name: viewsFolder,
  follow: (parts) => from(keepViews(parts)),
};

async function* keepViews(parts: ConsumerParts): AsyncGenerator<ConsumerState> {
  for (;;) {
    const name = servedFile(parts.directory);
    const projector = name === undefined ? undefined : await openOurs(parts, name);
    if (name === undefined || projector === undefined) yield* build(parts);
    else yield* follow(parts, name, projector);
  }
}

const tellOdd =
  (logger: Logger): OnOdd =>
  (odd) =>
    logger.error({ odd }, 'odd event passed over');

/** `undefined`: they are of another release, or of another log. */
async function openOurs(
  { directory, log, logger }: ConsumerParts,
  name: string,
): Promise<Projector | undefined> {
  const db = openServed(directory, name);
  if (db !== undefined && (await isOf(log, readMeta(db).last)))
    return openProjector(db, log, tellOdd(logger));
  db?.close();
  logger.warn({}, 'the views are not of this release and log: computing them again');
  return undefined;
}

async function* build(parts: ConsumerParts): AsyncGenerator<ConsumerState> {
  const { logger } = parts;
  let toldAt = performance.now();
  try {
    for await (const state of buildViews({ ...parts, onOdd: tellOdd(logger) })) {
      yield state;
      if (performance.now() - toldAt < tellMs) continue;
      toldAt = performance.now();
      logger.info({ position: state.position, head: state.head }, 'computing the views');
    }
  } catch (cause) {
    if (!isTrouble(cause, 'log-in-use')) throw cause;
    await sleep(waitMs);
  }
}

/** Until others are served. */
async function* follow(
  { directory, log, rest }: ConsumerParts,
  name: string,
  projector: Projector,
): AsyncGenerator<ConsumerState> {
  let version: number | undefined;
  try {
    while (servedFile(directory) === name) {
      const now = log.version();
      if (now === version) {
        // Nobody may be listening any more.
        yield { position: projector.position, head: projector.position };
        await sleep(pollMs);
        continue;
      }
      refuseFullDisk(directory);
      let more: boolean;
      do {
        more = await projector.step();
        yield { position: projector.position, head: await log.head() };
        await rest();
      } while (more);
      version = now;
      // A busy log is followed in batches worth their transaction.
      await sleep(pollMs);
    }
  } finally {
    projector.close();
  }
}
