/** Which page answers which address. Reads what was asked, asks those who know, hands it to the page. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { isTrouble, type Trouble } from '../../mail/trouble.ts';
import type { MessageId } from '../../mail/envelope.ts';
import { parseMessageId } from '../../mail/message-id.ts';
import type { Incarnation } from '../../nodes/events.ts';
import type { Instant } from '../../platform/clock.ts';
import type { Place } from '../../past/ports.ts';
import { familyOf, type Member } from '../../trace/family.ts';
import { parseInstant } from '../../trace/parse-instant.ts';
import { actByHand, type ActGiven } from '../by-hand.ts';
import { hasWord, type DeskEnv } from '../guard/gate.ts';
import type { Live } from '../live.ts';
import { knownSoon } from '../not-yet.ts';
import type { DeskParts, Nodes } from '../ports.ts';
import { actNames, type Act } from './actions.ts';
import { extraPages } from './extra-pages.ts';
import { hostSpans, hostsPage } from './hosts-page.ts';
import { page, type Frame } from './layout.ts';
import { letterPage } from './letter-page.ts';
import { nodesPage } from './nodes-page.ts';
import { ageBands, overview, spans } from './overview.ts';
import { queuePage } from './queue-page.ts';
import { searchPage } from './search-page.ts';
import { search, textsOf } from './search-question.ts';
import { tailPage, tailRow } from './tail-page.ts';
import { troublePage } from './trouble-page.ts';
import { letterPath, type Html } from './words.ts';

type Ask = Context<DeskEnv>;

const queueRows = 50;
/** Letters of a family that a page tells of. */
const family = { letters: 20, depth: 3 };
/** What an order came to is said once, on the page that follows. */
const saidFor = 60_000;

export function servePages(app: OpenAPIHono<DeskEnv>, parts: DeskParts, live: Live): void {
  const { settings, clock, views, queue, log, letters, nodes } = parts;
  const said = new Map<string, { text: string; until: Instant }>();
  const frame = (context: Ask, title: string, here?: string): Frame => ({
    ...{ title, identity: context.get('identity'), node: settings.node },
    ...(here === undefined ? {} : { here }),
    ...outageFor(parts, here),
    extras: { ask: parts.questions !== undefined, whatIf: parts.otherwise !== undefined },
  });
  const show = (context: Ask, title: string, main: Html, here?: string) =>
    context.html(page(frame(context, title, here), main));

  app.get('/', async (context) => {
    const span = spanOf(context.req.query('span'), spans, 'hour');
    const now = clock.now();
    const { stepMs, steps } = spans[span];
    const from = (Math.floor(now / stepMs) - steps + 1) * stepMs;
    const ask = { from, until: from + steps * stepMs, stepMs };
    const asked = {
      counts: queue.queueAt({ limit: 0 }).then(({ counts }) => counts),
      traffic: views.traffic(ask),
      waiting: views.waiting(8),
      ages: views.ages(now, ageBands),
      reasons: views.said('deferred', from, 8),
      views: views.status(),
      nodes: nodes.rows(),
    };
    const [known, engine] = await Promise.all([knownSoon(asked), parts.engine()]);
    const preparing = parts.preparing?.() ?? [];
    return show(
      context,
      'Overview',
      overview({ span, ask, now, nodesAt: nowOfNodes(parts), engine, preparing, ...known }),
      '/',
    );
  });

  app.get('/nodes', async (context) => {
    const seen = await nodes.rows();
    return show(context, 'Nodes', nodesPage({ ...seen, now: nowOfNodes(parts) }), '/nodes');
  });

  app.get('/queue', async (context) => {
    const now = clock.now();
    const text = context.req.query('at')?.trim() ?? '';
    const place = placeIn(text, now);
    const trouble =
      place === undefined && text !== '' && text !== 'now'
        ? 'That is no time: try 2026-11-21T06:00, -2h, yesterday 06:00 (UTC), or the number of an event.'
        : undefined;
    const number = Math.max(0, Math.trunc(Number(context.req.query('page') ?? 1)) - 1) || 0;
    const [then, span] = await Promise.all([
      queue.queueAt({
        ...(place === undefined ? {} : { place }),
        ...{ limit: queueRows, offset: Math.min(number, 10_000) * queueRows },
      }),
      queue.span(),
    ]);
    const seen = {
      ...{ then, span: span ?? { first: now, last: now }, now },
      at: place === undefined ? undefined : 'at' in place ? place.at : then.at,
      ...{ page: number, pageRows: queueRows },
      ...(trouble === undefined ? {} : { trouble }),
      nodeOf: (letter: MessageId) => nodeNameOf(nodes, nodes.ownerOf(letter)),
    };
    return show(context, 'Queue', queuePage(seen), '/queue');
  });

  app.get('/search', async (context) => {
    const texts = textsOf(context);
    const found = await search(parts, texts, context.req.query('after'));
    return show(context, 'Search', searchPage({ texts, ...found }), '/search');
  });

  app.get('/letters/:id', async (context) => {
    const message = await letters.find(context.req.param('id'));
    if (message !== context.req.param('id')) return context.redirect(letterPath(message), 303);
    const now = clock.now();
    const members: (Member | undefined)[] = [];
    for await (const member of familyOf(log, message, family)) members.push(member);
    const key = context.req.query('said') ?? '';
    const done = said.get(key)?.text;
    said.delete(key);
    const { reasons } = await letters.reasons(message);
    const seen = {
      ...{ message, family: members, now, identity: context.get('identity'), reasons },
      subject: await letters.subject(message),
      nodeOf: (incarnation: Incarnation) => nodeNameOf(nodes, incarnation),
      owner: nodes.ownerOf(message),
      ...(done === undefined ? {} : { done }),
    };
    return show(context, `Letter ${message.slice(-12)}`, letterPage(seen));
  });

  app.post('/letters/:id/:act', async (context) => {
    const message = parseMessageId(context.req.param('id'));
    const act = actNames.find((name) => name === context.req.param('act'));
    if (message === undefined || act === undefined) return context.notFound();
    const identity = context.get('identity');
    const form = await context.req.parseBody();
    if (!hasWord(identity, form['csrf'])) {
      return context.text(
        'Refused: the form is not from this desk, or too old. Load the page again.\n',
        403,
      );
    }
    const text = await actByHand(parts, identity, { message, act, ...givenIn(form, act) });
    const key = crypto.randomUUID();
    const now = clock.now();
    for (const [old, { until }] of said) if (until < now || said.size > 1_000) said.delete(old);
    said.set(key, { text, until: now + saidFor });
    return context.redirect(`${letterPath(message)}?said=${key}`, 303);
  });

  app.get('/hosts', async (context) => {
    const span = spanOf(context.req.query('span'), hostSpans, 'day');
    const now = clock.now();
    const hosts = await views.hosts(now - hostSpans[span], 100);
    return show(context, 'Hosts', hostsPage({ span, hosts, now }), '/hosts');
  });

  app.get('/tail', async (context) => {
    const events = await log.readAll({ direction: 'backwards', limit: 40 });
    const after = events[0]?.position ?? 0;
    return show(context, 'Live', tailPage({ events, after }), '/tail');
  });

  app.get('/tail/events', async (context) => {
    const after = Number(context.req.query('after'));
    const from = Number.isSafeInteger(after) && after >= 0 ? after : await log.head();
    return live.events(context, { from, format: tailRow });
  });

  app.get('/live', (context) => live.ticks(context));
  extraPages(app, parts, show);

  app.notFound((context) =>
    isForPrograms(context)
      ? context.json({ error: 'there is no such thing here' }, 404)
      : context.html(
          page(frame(context, 'Not here'), troublePage('Not here', 'There is no such page.')),
          404,
        ),
  );
  app.onError((cause, context) => answerTrouble(cause, context, parts, frame));
}

/** The overview says so itself, and nodes are as they were then: nobody can tell who is silent now. */
const outageFor = ({ outage }: DeskParts, here: string | undefined): { outage?: string } => {
  const out = outage?.();
  return out === undefined || here === '/' ? {} : { outage: out.words };
};

const nowOfNodes = ({ clock, outage }: DeskParts): Instant => outage?.()?.since ?? clock.now();

/** Its name, or what stands for it. */
const nodeNameOf = (nodes: Nodes, incarnation: Incarnation | undefined): string | undefined =>
  incarnation === undefined || incarnation === ''
    ? undefined
    : nodes.nameOf(incarnation) || `…${incarnation.slice(-8)}`;

/** Programs hear JSON, people see a page; what is a bug is told to the engine's own log only. */
function answerTrouble(
  cause: unknown,
  context: Ask,
  { logger }: DeskParts,
  frame: (context: Ask, title: string) => Frame,
): Response | Promise<Response> {
  if (cause instanceof HTTPException) {
    return isForPrograms(context)
      ? context.json({ error: cause.message }, cause.status)
      : cause.getResponse();
  }
  const known = isTrouble(cause);
  const status = known ? statusOf(cause, context.req.method) : 500;
  const words = known ? cause.message : 'Something is wrong here; the engine’s log has more.';
  if (!known) {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    logger.error({ path: context.req.path, cause: stack }, 'bug at the desk');
  }
  if (isForPrograms(context) || context.get('identity') === undefined) {
    return context.json({ error: words }, status);
  }
  // What will be there in a moment is looked for again.
  if (status === 503) context.header('Refresh', '3');
  const title = status === 404 ? 'Not here' : status === 503 ? 'Not yet' : 'That did not work';
  return context.html(page(frame(context, title), troublePage(title, words)), status);
}

function statusOf({ code, tryAgain }: Trouble, method: string): 400 | 404 | 409 | 503 {
  if (tryAgain) return 503;
  if (code === 'not-found') return 404;
  return method === 'GET' ? 400 : 409;
}

/** What `--at` takes: a position of the log, or a time; now, and what is neither, is `undefined`. */
function placeIn(text: string, now: Instant): Place | undefined {
  if (/^\d{1,15}$/.test(text)) return { position: Number(text) };
  const at = text === '' || text === 'now' ? undefined : parseInstant(text, now);
  return at === undefined ? undefined : { at };
}

const isForPrograms = (context: Ask): boolean => context.req.path.startsWith('/api/');

const spanOf = <Name extends string>(
  text: string | undefined,
  known: { readonly [N in Name]: unknown },
  fallback: Name,
): Name => (text !== undefined && Object.hasOwn(known, text) ? (text as Name) : fallback);

function givenIn(form: Record<string, unknown>, act: Act): ActGiven {
  const { why, to, rcpt } = form;
  return {
    why: typeof why === 'string' ? why : '',
    ...(act === 'redirect' && typeof to === 'string' ? { to: to.trim() } : {}),
    ...(typeof rcpt === 'string' && /^\d{1,6}$/.test(rcpt) ? { rcpts: [Number(rcpt)] } : {}),
  };
}

export type Show = (
  context: Ask,
  title: string,
  main: Html,
  here?: string,
) => Response | Promise<Response>;
