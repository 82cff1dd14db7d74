/** The desk's web page inside the role `desk`: its parts out of the log, the views, the past and the link to the queue. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Config } from '../control/config.ts';
import { letterAnswers, queueAnswers } from '../desk/answers.ts';
import { otherwiseAnswers, questionAnswers } from '../desk/deep-answers.ts';
import { startDesk, type Desk } from '../desk/desk.ts';
import { tokenFile } from '../desk/places.ts';
import { aloneNodes } from '../desk/alone-nodes.ts';
import type { EngineState, Hand, Preparing } from '../desk/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import type { LiveAgenda } from '../past/live-agenda.ts';
import { openPast } from '../past/past-queue.ts';
import { historyFolder } from '../past/ports.ts';
import { systemClock } from '../platform/clock.ts';
import { messageStream } from '../queue/events.ts';
import { wordsOf, type Logger } from '../platform/logger.ts';
import type { Views } from '../views/ports.ts';
import type { SteadyLink } from './links/sockets.ts';
import type { DeskLog } from './desk-log.ts';
import type { Given } from './roles/given.ts';
import { version } from './version.ts';

export type DeskPageParts = {
  readonly config: Config;
  readonly given: Given;
  /** The line of the password that counts now. */
  readonly password: () => string | undefined;
  readonly opened: DeskLog;
  readonly views: Views;
  readonly present: LiveAgenda;
  /** What is not complete yet. */
  readonly preparing: () => readonly Preparing[];
  readonly link: SteadyLink;
  readonly logger: Logger;
  /** Lets the mail to the processor between two pages of a long read. */
  readonly rest: () => Promise<void>;
};

const answerMs = 30_000;
const statusMs = 2_000;

/** `undefined` where there is no socket to serve. */
export async function openDeskPage(parts: DeskPageParts): Promise<Desk | undefined> {
  const { config, given, password, opened, views, link, logger, rest, present, preparing } = parts;
  const { log, history, body, outage } = opened;
  const socket = given.listeners.find(({ kind }) => kind === 'desk');
  const { listen, hosts } = config.desk;
  if (socket === undefined || listen === undefined) return undefined;
  const clock = systemClock;
  const past = openPast({
    ...{ log, directory: historyFolder },
    onTrouble: (words) => logger.warn({ words }, 'a mark of the past was passed over'),
  });
  const find = async (part: string, limit: number) =>
    opened.find?.(part, limit) ?? (await namedBy(views, part, limit));
  // Whoever started the engine owns its data.
  const ownUid = statSync('.').uid;
  const { folders } = config.projections;
  const loading = { folders, trusted: ownUid === 0 ? [0] : undefined };
  const deep = { log, clock, rest, loading, history };
  const engine = engineState(link, outage);
  const unmade = () => preparing().find(({ what }) => what === 'past');
  const queue = queueAnswers({ log, past, present, clock, preparing: unmade });
  const node = given.handed.controls['me']?.split('\n')[0]?.trim() || hostname();
  return startDesk({
    ...{ log, views, clock, logger, engine, hand: handOf(link), preparing, outage, queue },
    nodes: opened.nodes ?? aloneNodes({ node, queue, history }),
    letters: letterAnswers({
      ...{ log, past, clock, find, history, body },
      engineRuns: () => link.current() !== undefined,
    }),
    settings: {
      listen: { ...listen, fd: socket.fd },
      ...{ hosts, version, token: ownToken() },
      get password() {
        return password();
      },
      ...{ node: config.nodes.name ?? node, ownUid },
    },
    questions: questionAnswers(deep),
    otherwise: otherwiseAnswers(deep),
  });
}

/** Streams of letters by a part of their id. */
const namedBy = async (views: Views, id: string, limit: number): Promise<readonly string[]> =>
  (await views.search({ id, limit })).letters.map(({ message }) => messageStream(message));

/** Made at the first start, kept: programs that hold it go on working. */
function ownToken(): string {
  mkdirSync('desk', { recursive: true, mode: 0o700 });
  if (!existsSync(tokenFile)) {
    writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
  }
  const token = readFileSync(tokenFile, 'utf8').trim();
  if (token.length >= 32) return token;
  throw new Error(`data/${tokenFile} holds no token: remove it, and a new one is made`);
}

const handOf = (link: SteadyLink): Hand => {
  const linked = () => {
    const current = link.current();
    if (current !== undefined) return current;
    throw new Trouble('link-down', { tryAgain: true, peer: 'the queue does not answer' });
  };
  return {
    act: async (request) =>
      (await linked().request('operate', request, { timeoutMs: answerMs })).value as number,
    retryAll: async (by, why) => {
      await linked().request('retry-all', { by, why }, { timeoutMs: answerMs });
    },
  };
};

type QueueStatus = {
  readonly log?: { readonly what: string };
  readonly channels?: readonly string[];
  /** How many are connected. */
  readonly doors?: number;
};

const up = (isUp: boolean): string => (isUp ? 'up' : 'down');

/** As the queue says it; without its word nobody knows of the others. The desk is up: somebody asks it. */
const engineState =
  (link: SteadyLink, outage: DeskLog['outage']) => async (): Promise<EngineState> => {
    const down = (trouble: string): EngineState => ({
      ...{ running: false, trouble },
      roles: [
        { name: 'queue', state: 'down' },
        { name: 'desk', state: 'up' },
      ],
    });
    const current = link.current();
    if (current === undefined) return down('the queue does not answer');
    try {
      const status = (await current.request('status', {}, { timeoutMs: statusMs }))
        .value as QueueStatus;
      const { log, channels = [], doors = 0 } = status;
      const upNow = new Set(['queue', 'desk', ...channels, ...(doors > 0 ? ['door'] : [])]);
      const names = ['queue', 'door', 'local', 'remote', 'desk'];
      return {
        ...{ running: true, trouble: outage()?.words ?? log?.what },
        roles: names.map((name) => ({ name, state: up(upNow.has(name)) })),
      };
    } catch (cause) {
      return down(wordsOf(cause));
    }
  };
