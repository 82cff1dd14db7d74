/** The desk's web page inside the role `desk`: its parts out of the log, the views, the past and the link to the queue. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Config } from '../control/config.ts';
import { letterAnswers, queueAnswers } from '../desk/answers.ts';
import { otherwiseAnswers, questionAnswers } from '../desk/deep-answers.ts';
import { startDesk, type Desk } from '../desk/desk.ts';
import { tokenFile } from '../desk/places.ts';
import type { EngineState, Hand } from '../desk/ports.ts';
import { openStreamFinder } from '../log/sqlite/find-streams.ts';
import type { ReadOnlyLog } from '../log/sqlite/open-reader.ts';
import { Trouble } from '../mail/trouble.ts';
import { openPast } from '../past/past-queue.ts';
import { historyFolder } from '../past/ports.ts';
import { systemClock } from '../platform/clock.ts';
import { wordsOf, type Logger } from '../platform/logger.ts';
import { readNodeHistory } from '../trace/rules-of-the-day.ts';
import type { Views } from '../views/ports.ts';
import type { SteadyLink } from './links/sockets.ts';
import { logFile } from './log.modules.ts';
import type { Given } from './roles/given.ts';
import { version } from './version.ts';

export type DeskPageParts = {
  readonly config: Config;
  readonly given: Given;
  readonly log: ReadOnlyLog;
  readonly views: Views;
  readonly link: SteadyLink;
  readonly logger: Logger;
  /** Lets the mail to the processor between two pages of a long read. */
  readonly rest: () => Promise<void>;
};

const answerMs = 30_000;
const statusMs = 2_000;

/** `undefined` where there is no socket to serve. */
export async function openDeskPage(parts: DeskPageParts): Promise<Desk | undefined> {
  const { config, given, log, views, link, logger, rest } = parts;
  const socket = given.listeners.find(({ kind }) => kind === 'desk');
  const { listen, hosts } = config.desk;
  if (socket === undefined || listen === undefined) return undefined;
  const clock = systemClock;
  const finder = openStreamFinder(logFile);
  const past = openPast({
    ...{ log, directory: historyFolder },
    onTrouble: (words) => logger.warn({ words }, 'a mark of the past was passed over'),
  });
  const history = () => readNodeHistory(log, finder.category('node'));
  // Whoever started the engine owns its data.
  const ownUid = statSync('.').uid;
  const { folders } = config.projections;
  const loading = { folders, trusted: ownUid === 0 ? [0] : undefined };
  const deep = { log, clock, rest, loading, history };
  const engine = engineState(link);
  const desk = await startDesk({
    ...{ log, views, clock, logger, engine, hand: handOf(link) },
    queue: queueAnswers(log, past, clock),
    letters: letterAnswers({
      ...{ log, clock, engineRuns: () => link.current() !== undefined },
      find: (part, limit) => finder.letters(part, limit),
      ...{ history, body: (stream: string) => log.readBody(stream) },
    }),
    settings: {
      listen: { ...listen, fd: socket.fd },
      ...{ hosts, version, password: given.handed.deskPassword, token: ownToken() },
      node: given.handed.controls['me']?.split('\n')[0]?.trim() || hostname(),
      ownUid,
    },
    questions: questionAnswers(deep),
    otherwise: otherwiseAnswers(deep),
  });
  return {
    url: desk.url,
    async close() {
      await desk.close();
      finder.close();
    },
  };
}

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
};

const engineState = (link: SteadyLink) => async (): Promise<EngineState> => {
  const down = (trouble: string): EngineState => ({
    ...{ running: false, trouble },
    roles: [{ name: 'queue', state: 'down' }],
  });
  const current = link.current();
  if (current === undefined) return down('the queue does not answer');
  try {
    const status = (await current.request('status', {}, { timeoutMs: statusMs }))
      .value as QueueStatus;
    const channels = new Set(status.channels ?? []);
    return {
      ...{ running: true, trouble: status.log?.what },
      roles: [
        { name: 'queue', state: 'up' },
        ...['local', 'remote'].map((name) => ({ name, state: channels.has(name) ? 'up' : 'down' })),
      ],
    };
  } catch (cause) {
    return down(wordsOf(cause));
  }
};
