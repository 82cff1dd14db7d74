/** A desk on a real log with some mail in it, on a free port of the loopback. */
import type { Socket } from 'node:net';
import { firstValueFrom, share } from 'rxjs';
import { letterAnswers, queueAnswers } from '../../src/desk/answers.ts';
import { otherwiseAnswers, questionAnswers } from '../../src/desk/deep-answers.ts';
import { startDesk, type Desk } from '../../src/desk/desk.ts';
import { hashPassword } from '../../src/platform/password-hash.ts';
import { makeTicket } from '../../src/desk/guard/one-time-links.ts';
import { dialForDesk } from '../../src/composition/desk-event-store.ts';
import type { DeskLog } from '../../src/composition/desk-log.ts';
import { aloneNodes } from '../../src/desk/alone-nodes.ts';
import type { DeskParts, DeskSettings } from '../../src/desk/ports.ts';
import { openPast } from '../../src/past/past-queue.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { openOperator, type OperatorRequest } from '../../src/queue/operator.ts';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import { openStreamFinder } from '../../src/log/sqlite/find-streams.ts';
import { readNodeHistory } from '../../src/trace/rules-of-the-day.ts';
import type { Views } from '../../src/views/ports.ts';
import { openStandIn } from '../support/kurrent/open.ts';
import type { StandIn } from '../support/kurrent/stand-in.ts';
import { tempDir } from '../support/temp-dir.ts';
import { openOffice, says, type Office } from '../trace/office.ts';
import { scanViews } from './scan-views.ts';

export const password = 'correct horse';
export const token = 'a-token-of-the-tests-long-enough-for-any';

/** What would be markup if anybody believed it. */
export const hostile = '<script>window.stolen=1</script><img src=x onerror="window.stolen=2">';

export type TestDesk = {
  readonly desk: Desk;
  readonly office: Office;
  readonly url: string;
  readonly ids: Readonly<
    Record<'delivered' | 'waiting' | 'bounced' | 'bounce' | 'hostile' | 'many', MessageId>
  >;
  readonly orders: OperatorRequest[];
  ticket(): string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
};

export type DeskOptions = Partial<Pick<DeskSettings, 'hosts' | 'ownUid'>> &
  Pick<DeskParts, 'preparing' | 'outage'> & {
    /** Default: the embedded log. */
    readonly engine?: 'kurrentdb';
    readonly password?: boolean;
    /** Whose connections they are, in the kernel's words. */
    readonly uid?: (socket: Socket) => number | undefined;
  };

const minute = 60_000;
export const hour = 60 * minute;

/** The mail of some hours before `now`. */
export async function openDesk(options: DeskOptions = {}, now = Date.now()): Promise<TestDesk> {
  const store = options.engine === 'kurrentdb' ? await openStandIn() : undefined;
  const office = await openOffice(now - 3 * hour, store?.log);
  const ids = await someMail(office, now);
  const { clock } = office;
  const views = scanViews(office.log);
  const opened = store === undefined ? embedded(office) : await inStore(store, views);
  const { log, find, history, body } = opened;
  const operator = openOperator(openLetters({ log: office.log }), clock);
  const orders: OperatorRequest[] = [];
  const deep = { log, clock, history, rest: async () => undefined, loading: { folders: [] } };
  const past = openPast({ log, directory: office.dir.file('past') });
  const unmade = () => options.preparing?.().find(({ what }) => what === 'past');
  const queue = queueAnswers({ log, past, clock, preparing: unmade });
  const desk = await startDesk(
    {
      settings: {
        listen: { host: '127.0.0.1', port: 0 },
        hosts: options.hosts ?? [],
        password: options.password === true ? await hashPassword(password) : undefined,
        ...{ token, node: 'here.test', version: '0', ownUid: options.ownUid },
      },
      ...{ log, clock, logger: silentLogger, views, queue },
      ...(options.preparing === undefined ? {} : { preparing: options.preparing }),
      ...(options.outage === undefined ? {} : { outage: options.outage }),
      nodes: opened.nodes ?? aloneNodes({ node: 'here.test', queue, history }),
      letters: letterAnswers({ log, past, clock, find, history, body, engineRuns: () => true }),
      questions: questionAnswers(deep),
      otherwise: otherwiseAnswers(deep),
      hand: {
        act: async (request) => {
          orders.push(request);
          return operator.act(request);
        },
        retryAll: async () => undefined,
      },
      engine: async () => ({
        ...{ running: true, trouble: undefined },
        roles: ['queue', 'door', 'local', 'remote'].map((name) => ({ name, state: 'up' })),
      }),
    },
    options.uid,
  );
  const base = desk.url.slice(0, -1);
  return {
    ...{ desk, office, ids, orders, url: base },
    ticket: () => makeTicket(token, clock.now()),
    get: (path, headers = {}) => fetch(base + path, { headers, redirect: 'manual' }),
    post: (path, body, headers = {}) =>
      fetch(base + path, { method: 'POST', body, headers, redirect: 'manual' }),
    async close() {
      await desk.close();
      await opened.close();
      await office.remove();
      await store?.server.stop();
    },
  };
}

type Opened = Pick<DeskLog, 'log' | 'history' | 'body' | 'nodes' | 'close'> & {
  readonly find: (part: string, limit: number) => Promise<readonly string[]>;
};

function embedded({ logFile }: Office): Opened {
  const log = openReader(logFile, { pollMs: 20 });
  const finder = openStreamFinder(logFile);
  return {
    log,
    find: async (part, limit) => finder.letters(part, limit),
    history: (upTo) => readNodeHistory(log, finder.category('node'), upTo),
    body: async (message) => log.readBody(`message-${message}`),
    async close() {
      finder.close();
      log.close();
    },
  };
}

/** As the role has it, with one node that works, so that letters have an owner. */
async function inStore({ server }: { readonly server: StandIn }, views: Views): Promise<Opened> {
  const open = await dialForDesk(
    { url: server.url(), credentialsFile: undefined, bodyDirectory: undefined },
    '.',
  );
  const opened = await open(silentLogger, new AbortController().signal);
  const parts = { log: opened.patient, rest: async () => undefined, logger: silentLogger };
  const dir = tempDir();
  const [nodes] = opened.consumers;
  const states$ = nodes!.follow({ ...parts, directory: dir.path }).pipe(share());
  const following = states$.subscribe();
  await firstValueFrom(states$);
  return {
    ...opened,
    find: async (id, limit) =>
      (await views.search({ id, limit })).letters.map(({ message }) => `message-${message}`),
    async close() {
      following.unsubscribe();
      await opened.close();
      dir.remove();
    },
  };
}

async function someMail(office: Office, now: number) {
  const { clock } = office;
  const rejected = 'Remote host said: 550 5.1.1 no such user here\n';
  const delivered = await office.accept(['demo@here.test']);
  await office.attempt(delivered, [0], [says('delivered', 0, 'did 1+0+0/\n')]);
  clock.advance(20 * minute);
  const bounced = await office.accept(['nobody@b.test'], { returnPath: 'demo@here.test' });
  await office.attempt(bounced, [0], [says('failed', 0, rejected)]);
  const bounce = await office.accept(['demo@here.test'], {
    returnPath: '',
    parent: { message: bounced, why: 'bounce' },
  });
  await office.do(bounced, {
    type: 'SettleBounce',
    bounce: { child: bounce, kind: 'bounce', to: 'demo@here.test' },
    at: clock.now(),
  });
  await office.attempt(bounce, [0], [says('delivered', 0, 'did 1+0+0/\n')]);
  clock.advance(10 * minute);
  const many = await office.accept(['ann@b.test', 'bob@c.test', 'demo@here.test', 'eve@d.test']);
  await office.attempt(many, [0], [says('delivered', 0)]);
  await office.attempt(
    many,
    [1],
    [says('deferred', 1, 'Remote host said: 452 4.2.2 mailbox full\n')],
  );
  await office.attempt(many, [2], [says('delivered', 2, 'did 1+0+0/\n')]);
  clock.advance(30 * minute);
  const hostileId = await office.accept(['plain@e.test', `"${hostile}"@e.test`], {
    ...{ returnPath: `${hostile}@evil.test`, subject: hostile },
  });
  await office.attempt(
    hostileId,
    [0, 1],
    [says('deferred', 0, '451 later\n'), says('deferred', 1, `Remote host said: 451 ${hostile}\n`)],
  );
  clock.advance(40 * minute);
  const waiting = await office.accept(['late@nowhere.test'], { returnPath: 'demo@here.test' });
  await office.attempt(
    waiting,
    [0],
    [says('deferred', 0, 'CNAME lookup failed temporarily. (#4.4.3)\n')],
  );
  clock.advanceTo(now);
  return { delivered, bounced, bounce, many, hostile: hostileId, waiting };
}
