/**
 * The engines that share an event store, as the desk sees them: follows the log with a ledger of its own, whose
 * checkpoint lies in the desk's directory, and remembers which streams tell of starts and control files.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { from } from 'rxjs';
import type { ConsumerParts, ConsumerState, LogConsumer } from '../log/consumer.ts';
import type { LogReader, StreamName } from '../log/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import type { Ledger } from '../nodes/ledger.ts';
import { letterOfNobody, nodeRows } from '../trace/node-lines.ts';
import { readNodeHistory } from '../trace/rules-of-the-day.ts';
import { nodeEvents, type NodeEvents } from './node-events.ts';
import { openFolds, type NodeFolds } from './node-folds.ts';
import type { Nodes, NodeSeen, OwnHistory } from './ports.ts';

/** Beside the page's token. */
const folder = 'desk';

const pageEvents = 2_000;
/** How often the log is asked for news; the answer is in memory. */
const pollMs = 250;
/** Leases that are over and have no letters left. */
const endedShown = 20;

export type NodeWatch = {
  readonly consumer: LogConsumer;
  readonly nodes: Nodes;
  readonly history: OwnHistory;
};

export type NodeWatchOptions = {
  readonly log: Pick<LogReader, 'readStream'>;
  /** All streams that tell of an engine's starts: asked once, while this does not know them all itself. */
  readonly nodeStreams: () => Promise<ReadonlySet<StreamName>>;
};

export function watchNodes({ log, nodeStreams }: NodeWatchOptions): NodeWatch {
  const events = nodeEvents(log);
  let ledger: Ledger | undefined;
  let asked: Promise<unknown> | undefined;
  const known = (): Ledger => {
    if (ledger !== undefined) return ledger;
    const detail = 'the leases of the nodes are being read from the log';
    throw new Trouble('busy', { tryAgain: true, peer: 'not yet', detail });
  };
  const askOnce = (): Promise<unknown> =>
    (asked ??= nodeStreams().then(
      (names) => events.add(names),
      (cause: unknown) => {
        asked = undefined;
        throw cause;
      },
    ));
  return {
    consumer: {
      name: folder,
      follow: (parts) => from(follow(parts, events, (complete) => (ledger = complete))),
    },
    history: async (upTo) => {
      if (ledger === undefined) await askOnce();
      return readNodeHistory(events, events.streams(), upTo);
    },
    nodes: {
      async rows() {
        const seen = nodeRows(known(), endedShown).map(({ lease, letters, heir }): NodeSeen => {
          const { node, status, openedAt, ...others } = lease;
          return { node, status, letters, openedAt, lease: { ...others, heir } };
        });
        return { nodes: seen, ofNobody: letterOfNobody(known()) };
      },
      ownerOf: (message) => ledger?.owners.get(message),
      nameOf: (incarnation) => ledger?.leases.get(incarnation)?.node,
    },
  };
}

/** Until unsubscribed; `caughtUp` is told what is known from then on. */
async function* follow(
  parts: ConsumerParts,
  events: NodeEvents,
  caughtUp: (ledger: Ledger) => void,
): AsyncGenerator<ConsumerState> {
  const folds = await openFolds(parts, events);
  try {
    yield* readOn(parts, folds, true);
    caughtUp(folds.ledger);
    folds.save();
    for (;;) {
      await sleep(pollMs);
      yield* readOn(parts, folds, false);
    }
  } finally {
    folds.save();
  }
}

/** To the end of the log, a rest after each page. */
async function* readOn(
  { log, rest }: ConsumerParts,
  folds: NodeFolds,
  isFirst: boolean,
): AsyncGenerator<ConsumerState> {
  for (let more = true; more;) {
    const page = await log.readAll({ after: folds.position, limit: pageEvents });
    folds.take(page);
    more = page.length === pageEvents;
    const head = Math.max(await log.head(), folds.position);
    yield { position: folds.position, head, rebuilding: isFirst && more };
    if (more) await rest();
  }
}
