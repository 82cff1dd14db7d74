/** What the role `queue` does all day: hears of events, settles what a stop left open, delivers, bounces. */
import { Subscription } from 'rxjs';
import type { MessageId } from '../../mail/envelope.ts';
import { systemClock } from '../../platform/clock.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { resolveDoubts } from '../../queue/recovery.ts';
import type { Removals } from '../../spool/removals.ts';
import { asideTeller } from '../aside-teller.ts';
import { complain } from '../complain.ts';
import { forgetTimeouts } from '../links/tcpto-link.ts';
import { surely } from '../log-watch.ts';
import type { QueueParts } from './queue-parts.ts';

export type QueueWork = {
  /** The agenda alone: it must hear of the last events, too, when all else has ended. */
  readonly following: Subscription;
  /** Everything else; what is added after its end ends at once. */
  readonly running: Subscription;
};

/** `begun`: the start is in the log. Nothing is delivered before, nor before the agenda has caught up with the log. */
export function beginWork(parts: QueueParts, begun: Promise<void>, bodies: Removals): QueueWork {
  const { nodes, doubts$, scheduler, keeper, logger } = parts;
  const fatal = fatalIn(logger);
  const running = new Subscription();
  running.add(nodes.follow$.subscribe({ error: fatal('nodes') }));
  running.add(doubts$.subscribe({ error: fatal('doubts') }));
  running.add(nodes.moved$.subscribe((message) => scheduler.reconsider(message)));
  running.add(nodes.changed$.subscribe(() => scheduler.stir()));
  const following = keeper.follow$.subscribe({ error: fatal('agenda') });
  const deliver = async (): Promise<void> => {
    await keeper.caughtUp;
    await begun;
    await settleDoubts(parts);
    beginDeliveries(parts, running, bodies);
    await sweepOnce(parts);
  };
  deliver().catch(fatal('recovery'));
  return { following, running };
}

/** Attempts of a process that is no more: retried or held, as `[log] in_doubt` says. */
async function settleDoubts(parts: QueueParts): Promise<void> {
  const { keeper, letters, config, nodes, health, scheduler, logger } = parts;
  const { unreadable, inDoubt } = await surely(health, () =>
    resolveDoubts({
      ...{ agenda: keeper.agenda, letters, policy: config.log.inDoubt, clock: systemClock },
      ...(nodes.isMine === undefined ? {} : { isMine: nodes.isMine }),
      onUnreadable: asideTeller(logger),
    }),
  );
  for (const message of unreadable) scheduler.park(message);
  if (inDoubt > 0) logger.warn({ attempts: inDoubt }, 'attempts in doubt');
}

function beginDeliveries(parts: QueueParts, running: Subscription, bodies: Removals): void {
  const { hub, health, scheduler, dispatch$, bounces$, keeper, logger } = parts;
  const fatal = fatalIn(logger);
  running.add(hub.changed$.subscribe(() => scheduler.stir()));
  running.add(health.trouble$.subscribe(() => scheduler.stir()));
  running.add(dispatch$.subscribe({ error: fatal('dispatch') }));
  running.add(bounces$.subscribe({ error: fatal('bounces') }));
  running.add(keeper.ended$.subscribe((id) => bodies.add(id)));
  setAside(parts, running);
  // Whoever wants everything tried again wants it tried: hosts that kept silent lately, too.
  const forgetSilence = forgetTimeouts(() => hub.channel('remote'));
  running.add(keeper.retriedAll$.subscribe(() => void forgetSilence().catch(() => undefined)));
  scheduler.start();
}

/** Letters whose events the agenda makes nothing of; all others go on. */
function setAside({ keeper, scheduler, logger }: QueueParts, running: Subscription): void {
  const { aside } = keeper.agenda;
  const tell = asideTeller(logger);
  const park = (message: MessageId): void => {
    scheduler.park(message);
    tell(message, aside.get(message) ?? '');
  };
  for (const message of aside.keys()) park(message);
  running.add(keeper.aside$.subscribe(park));
}

/** Bodies that an earlier stop left without a letter. */
async function sweepOnce({ keeper, sweep, logger }: QueueParts): Promise<void> {
  const { rows, owing, aside } = keeper.agenda;
  const isNeeded = (id: string): boolean => rows.has(id) || owing.has(id) || aside.has(id);
  await sweep(isNeeded).catch(complain(logger, 'spool not swept'));
}

/** Without its agenda or its pipelines the queue is better started anew; a crash loses nothing. */
const fatalIn = (logger: Logger) => (what: string) => (cause: unknown) => {
  logger.error({ cause: wordsOf(cause) }, `${what} stopped`);
  process.exit(111);
};
