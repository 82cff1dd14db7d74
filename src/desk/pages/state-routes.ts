/** How things stand: the overview, nodes, the queue at any instant, hosts. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { MessageId } from '../../mail/envelope.ts';
import type { Place } from '../../past/ports.ts';
import type { Instant } from '../../platform/clock.ts';
import { parseInstant } from '../../trace/parse-instant.ts';
import type { DeskEnv } from '../guard/gate.ts';
import { knownSoon } from '../not-yet.ts';
import type { DeskParts } from '../ports.ts';
import { hostSpans, hostsPage } from './hosts-page.ts';
import { nodeNameOf } from './node-names.ts';
import { nodesPage } from './nodes-page.ts';
import { ageBands, overview, spans } from './overview.ts';
import { queuePage } from './queue-page.ts';
import type { Ask, PageParts } from './showing.ts';

/** Of one page, and the pages that are leafed through. */
const queueRows = 50;
const queuePages = 10_000;

/** Of one chart of the overview. */
const mostReasons = 8;
const mostDomains = 8;

const mostHosts = 100;

export function serveState(app: OpenAPIHono<DeskEnv>, parts: PageParts): void {
  app.get('/', (context) => showOverview(context, parts));
  app.get('/nodes', (context) => showNodes(context, parts));
  app.get('/queue', (context) => showQueue(context, parts));
  app.get('/hosts', (context) => showHosts(context, parts));
}

async function showOverview(context: Ask, parts: PageParts): Promise<Response> {
  const { clock, queue, views, nodes } = parts;
  const span = spanOf(context.req.query('span'), spans, 'hour');
  const now = clock.now();
  const { stepMs, steps } = spans[span];
  const from = (Math.floor(now / stepMs) - steps + 1) * stepMs;
  const ask = { from, until: from + steps * stepMs, stepMs };
  const asked = {
    counts: queue.queueAt({ limit: 0 }).then(({ counts }) => counts),
    traffic: views.traffic(ask),
    waiting: views.waiting(mostDomains),
    ages: views.ages(now, ageBands),
    reasons: views.said('deferred', from, mostReasons),
    views: views.status(),
    nodes: nodes.rows(),
  };
  const [known, engine] = await Promise.all([knownSoon(asked), parts.engine()]);
  const preparing = parts.preparing?.() ?? [];
  const seen = { span, ask, now, nodesAt: nowOfNodes(parts), engine, preparing, ...known };
  return parts.show(context, 'Overview', overview(seen), '/');
}

async function showNodes(context: Ask, parts: PageParts): Promise<Response> {
  const seen = await parts.nodes.rows();
  return parts.show(context, 'Nodes', nodesPage({ ...seen, now: nowOfNodes(parts) }), '/nodes');
}

async function showQueue(context: Ask, parts: PageParts): Promise<Response> {
  const { clock, queue, nodes } = parts;
  const now = clock.now();
  const { place, trouble } = placeIn(context.req.query('at')?.trim() ?? '', now);
  const page = pageIn(context.req.query('page'));
  const offset = Math.min(page, queuePages) * queueRows;
  const [then, span] = await Promise.all([
    queue.queueAt({ ...(place === undefined ? {} : { place }), limit: queueRows, offset }),
    queue.span(),
  ]);
  const seen = {
    ...{ then, span: span ?? { first: now, last: now }, now },
    at: place === undefined ? undefined : 'at' in place ? place.at : then.at,
    ...{ page, pageRows: queueRows },
    ...(trouble === undefined ? {} : { trouble }),
    nodeOf: (letter: MessageId) => nodeNameOf(nodes, nodes.ownerOf(letter)),
  };
  return parts.show(context, 'Queue', queuePage(seen), '/queue');
}

async function showHosts(context: Ask, { clock, views, show }: PageParts): Promise<Response> {
  const span = spanOf(context.req.query('span'), hostSpans, 'day');
  const now = clock.now();
  const hosts = await views.hosts(now - hostSpans[span], mostHosts);
  return show(context, 'Hosts', hostsPage({ span, hosts, now }), '/hosts');
}

/** During an outage nodes are as they were then: nobody can tell who is silent now. */
const nowOfNodes = ({ clock, outage }: DeskParts): Instant => outage?.()?.since ?? clock.now();

/** What `--at` takes: a position of the log, or a time. No place: now, or, with `trouble`, what is neither. */
function placeIn(text: string, now: Instant): { place?: Place; trouble?: string } {
  if (text === '' || text === 'now') return {};
  if (/^\d{1,15}$/.test(text)) return { place: { position: Number(text) } };
  const at = parseInstant(text, now);
  return at === undefined ? { trouble: noTime } : { place: { at } };
}

const noTime =
  'That is no time: try 2026-11-21T06:00, -2h, yesterday 06:00 (UTC), or the number of an event.';

/** People count pages from 1. */
const pageIn = (text = '1'): number => Math.max(0, Math.trunc(Number(text)) - 1) || 0;

const spanOf = <Name extends string>(
  text: string | undefined,
  known: { readonly [N in Name]: unknown },
  fallback: Name,
): Name => (text !== undefined && Object.hasOwn(known, text) ? (text as Name) : fallback);
