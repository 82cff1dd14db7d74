/** What the views know, as JSON: letters that match, hosts, traffic. */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { parseMessageId } from '../../mail/message-id.ts';
import { searchStatuses } from '../../trace/search.ts';
import type { DeskEnv } from '../guard/gate.ts';
import type { DeskParts } from '../ports.ts';
import { definedOf, json, limit, refused, text, timesBy, timeText, troubles } from './asking.ts';
import * as shape from './shapes.ts';
import { toFound, toHost, toStep } from './to-json.ts';

/** Of one answer. */
const mostSteps = 20_000;

/** Of a body. */
const bytes = z.coerce.number().int().min(0).optional();

export function serveViews(app: OpenAPIHono<DeskEnv>, parts: DeskParts): void {
  answerSearch(app, parts);
  answerHosts(app, parts);
  answerTraffic(app, parts);
}

const searchQuery = z.object({
  ...{ sender: text, recipient: text, host: text, reply: text, id: text, parent: text },
  ...{ domain: text, messageId: text, minBytes: bytes, maxBytes: bytes },
  ...{ since: timeText.optional(), until: timeText.optional() },
  status: z.enum(searchStatuses).optional(),
  limit: limit(50, 500),
  after: z
    .string()
    .max(200)
    .optional()
    .openapi({ description: 'what the page before called `next`' }),
});

function answerSearch(app: OpenAPIHono<DeskEnv>, { views, clock }: DeskParts): void {
  const { instantOf } = timesBy(clock);
  app.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/api/v1/search',
        summary: 'Letters that match, the youngest first',
      },
      request: { query: searchQuery },
      responses: { 200: json(shape.searchAnswer, 'A page of letters'), ...troubles },
    }),
    async (context) => {
      const { since, until, parent, ...asked } = context.req.valid('query');
      const whole = parent === undefined ? undefined : parseMessageId(parent);
      if (parent !== undefined && whole === undefined)
        throw refused('parent: a whole id is needed');
      const question = definedOf({
        ...asked,
        ...{ since: instantOf(since), until: instantOf(until), parent: whole },
      });
      const page = await views.search(question as Parameters<typeof views.search>[0]);
      const next = page.next === undefined ? {} : { next: page.next };
      return context.json({ letters: page.letters.map(toFound), ...next }, 200);
    },
  );
}

function answerHosts(app: OpenAPIHono<DeskEnv>, { views, clock }: DeskParts): void {
  const { instantOf } = timesBy(clock);
  app.openapi(
    createRoute({
      ...{ method: 'get', path: '/api/v1/hosts', summary: 'How far hosts answered' },
      request: { query: z.object({ since: timeText.default('-1d'), limit: limit(100, 1_000) }) },
      responses: { 200: json(shape.hostsAnswer, 'Those with most trouble first'), ...troubles },
    }),
    async (context) => {
      const { since, limit: most } = context.req.valid('query');
      return context.json((await views.hosts(instantOf(since)!, most)).map(toHost), 200);
    },
  );
}

function answerTraffic(app: OpenAPIHono<DeskEnv>, { views, clock }: DeskParts): void {
  const { instantOf } = timesBy(clock);
  app.openapi(
    createRoute({
      ...{ method: 'get', path: '/api/v1/traffic', summary: 'What came and went, per step' },
      request: {
        query: z.object({
          ...{ from: timeText.default('-1h'), until: timeText.default('now') },
          minutes: z.coerce.number().int().min(1).max(10_080).default(1),
        }),
      },
      responses: {
        200: json(shape.trafficAnswer, 'Steps in which anything happened'),
        ...troubles,
      },
    }),
    async (context) => {
      const { from, until, minutes } = context.req.valid('query');
      const ask = { from: instantOf(from)!, until: instantOf(until)!, stepMs: minutes * 60_000 };
      if (ask.until - ask.from > mostSteps * ask.stepMs) throw refused('too many steps at once');
      return context.json((await views.traffic(ask)).map(toStep), 200);
    },
  );
}
