/** A desk on a real log with some mail in it, on a free port of the loopback. */
import type { Socket } from 'node:net';
import { letterAnswers, queueAnswers } from '../../src/desk/answers.ts';
import { otherwiseAnswers, questionAnswers } from '../../src/desk/deep-answers.ts';
import { startDesk, type Desk } from '../../src/desk/desk.ts';
import { hashPassword } from '../../src/platform/password-hash.ts';
import { makeTicket } from '../../src/desk/guard/one-time-links.ts';
import type { DeskSettings } from '../../src/desk/ports.ts';
import { openPast } from '../../src/past/past-queue.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { openOperator, type OperatorRequest } from '../../src/queue/operator.ts';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import { openStreamFinder } from '../../src/log/sqlite/find-streams.ts';
import { readNodeHistory } from '../../src/trace/rules-of-the-day.ts';
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

export type DeskOptions = Partial<Pick<DeskSettings, 'hosts' | 'ownUid'>> & {
  readonly password?: boolean;
  /** Whose connections they are, in the kernel's words. */
  readonly uid?: (socket: Socket) => number | undefined;
};

const minute = 60_000;
export const hour = 60 * minute;

/** The mail of some hours before `now`. */
export async function openDesk(options: DeskOptions = {}, now = Date.now()): Promise<TestDesk> {
  const office = await openOffice(now - 3 * hour);
  const ids = await someMail(office, now);
  const { clock } = office;
  const log = openReader(office.logFile, { pollMs: 20 });
  const finder = openStreamFinder(office.logFile);
  const operator = openOperator(openLetters({ log: office.log }), clock);
  const orders: OperatorRequest[] = [];
  const history = () => readNodeHistory(log, finder.category('node'));
  const deep = { log, clock, history, rest: async () => undefined, loading: { folders: [] } };
  const desk = await startDesk(
    {
      settings: {
        listen: { host: '127.0.0.1', port: 0 },
        hosts: options.hosts ?? [],
        password: options.password === true ? await hashPassword(password) : undefined,
        ...{ token, node: 'here.test', version: '0', ownUid: options.ownUid },
      },
      ...{ log, clock, logger: silentLogger, views: scanViews(log) },
      queue: queueAnswers(log, openPast({ log, directory: office.dir.file('past') }), clock),
      letters: letterAnswers({
        ...{ log, clock, engineRuns: () => true, body: (stream) => log.readBody(stream) },
        find: (part, limit) => finder.letters(part, limit),
        history,
      }),
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
      finder.close();
      log.close();
      await office.remove();
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
