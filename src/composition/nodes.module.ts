/** Whether this engine has its log alone, or shares it with others. */
import { ContainerModule, type ServiceIdentifier } from 'inversify';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { NEVER } from 'rxjs';
import type { Config } from '../control/config.ts';
import { isLogTrouble } from '../log/health.ts';
import { lockDirectory, type DirectoryLock } from '../log/sqlite/lock.ts';
import { makeMessageId, randomBytesWanted } from '../mail/message-id.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { alone } from '../nodes/alone.ts';
import { behindFence } from '../nodes/fences.ts';
import { joinNodes } from '../nodes/membership.ts';
import type { Nodes } from '../nodes/ports.ts';
import { wordsOf } from '../platform/logger.ts';
import { nowAndThen } from '../platform/now-and-then.ts';
import { adopter, doubts } from '../queue/adoption.ts';
import { homeOf } from './home.ts';
import { unlessTold } from './log-watch.ts';
import * as t from './tokens.ts';

/** Relative to the data directory. */
const nodesFile = 'checkpoints/nodes';

/** Whoever holds it knows that earlier engines of this directory are dead. */
const lockFile = 'checkpoints/nodes.lock';

/** Makes the directory one of its own. */
const homeFile = 'checkpoints/nodes.home';

/** The incarnation of this process. */
const Self: ServiceIdentifier<string> = Symbol.for('waybill.Incarnation');

/** Until the process ends: a lock that nobody holds on to is let go of with the garbage. */
let held: DirectoryLock | undefined;

/**
 * Throws `log-in-use` while another engine runs in this data directory, wherever that one keeps its log: the two
 * would overwrite each other's sockets and checkpoints.
 */
function lockHome(): void {
  try {
    held ??= lockDirectory(lockFile);
  } catch (cause) {
    if (!isTrouble(cause, 'log-in-use')) throw cause;
    const { peer, tryAgain } = cause;
    const detail = `another engine runs in this data directory (${lockFile} is locked)`;
    throw new Trouble('log-in-use', { peer, tryAgain, detail, cause });
  }
}

export const nodesModule = ({ log }: Pick<Config, 'log'>): ContainerModule =>
  log.eventStore === undefined ? aloneModule : amongOthersModule;

const aloneModule = new ContainerModule(({ bind }) => {
  bind(t.Nodes)
    .toResolvedValue(() => {
      lockHome();
      return alone;
    }, [])
    .inSingletonScope();
  bind(t.LettersLog).toService(t.EventLog);
  bind(t.Doubts).toConstantValue(NEVER);
});

const amongOthersModule = new ContainerModule(({ bind }) => {
  bind(Self)
    .toResolvedValue(
      (clock) => makeMessageId(clock.now(), randomBytes(randomBytesWanted)),
      [t.Clock],
    )
    .inSingletonScope();
  bind(t.LettersLog)
    .toResolvedValue(
      (log, { nodes }, self: string) => (nodes.fences ? behindFence(log, self) : log),
      [t.SharedLog, t.ConfigToken, Self],
    )
    .inSingletonScope();
  bind(t.Nodes)
    .toResolvedValue(
      (log, letters, clock, { nodes }, logger, self: string) => {
        lockHome();
        const { name, beatMs, ttlMs, fences } = nodes;
        return joinNodes({
          ...{ log, self, beatMs, ttlMs, file: nodesFile, clock, fenced: fences },
          ...{ node: name ?? hostname(), ...homeOf('.', homeFile) },
          adopt: adopter({ letters, clock, self }),
          onLetter: (message, revision) => letters.heard(message, revision),
          onThrownAway: (why) => logger.warn({ why }, 'checkpoint thrown away'),
          onTrouble: nowAndThen(clock, (cause, kept) => {
            // The log's own are told by its health.
            if (isTrouble(cause) && isLogTrouble(cause)) return;
            logger.error({ cause: wordsOf(cause), times: kept + 1 }, 'not done among the nodes');
          }),
        });
      },
      [t.SharedLog, t.Letters, t.Clock, t.ConfigToken, t.Logger, Self],
    )
    .inSingletonScope();
  bind(t.Doubts)
    .toResolvedValue(
      ({ agenda }, letters, clock, { log }, { self, adopted$, isOver, changed$ }, health, logger) =>
        doubts(adopted$, {
          ...{ agenda, letters, clock, isOver, changed$, self: self!, policy: log.inDoubt },
          onTrouble: (message, trouble) =>
            unlessTold(health, (cause) =>
              logger.error({ message, cause: wordsOf(cause) }, 'attempt in doubt not settled yet'),
            )(trouble),
        }),
      [t.Keeper, t.Letters, t.Clock, t.ConfigToken, t.Nodes, t.Health, t.Logger],
    )
    .inSingletonScope();
});

/** Why no letter can be taken now, besides what the log says: the others must know that we live. */
export const refusalAmong =
  (nodes: Nodes, refusal: () => Trouble | undefined): (() => Trouble | undefined) =>
  () =>
    refusal() ?? (nodes.mayStart() ? undefined : noLease);

const noLease = new Trouble('busy', {
  tryAgain: true,
  peer: 'temporary failure (#4.3.2)',
  detail: 'this node has no lease that the others know of',
});
