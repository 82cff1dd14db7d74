/** The engine, its nodes and its queue, as JSON. */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { MessageId } from '../../mail/envelope.ts';
import type { DeskEnv } from '../guard/gate.ts';
import { unlessNotYet } from '../not-yet.ts';
import type { DeskParts } from '../ports.ts';
import { json, limit, timesBy, timeText, troubles } from './asking.ts';
import * as shape from './shapes.ts';
import { toNode, toQueue, toViews } from './to-json.ts';

export function serveQueue(app: OpenAPIHono<DeskEnv>, parts: DeskParts): void {
  answerStatus(app, parts);
  answerNodes(app, parts);
  answerQueue(app, parts);
}

function answerStatus(app: OpenAPIHono<DeskEnv>, { engine, views, settings }: DeskParts): void {
  app.openapi(
    createRoute({
      ...{ method: 'get', path: '/api/v1/status', summary: 'The engine, its roles, its views' },
      responses: { 200: json(shape.statusAnswer, 'How it is'), ...troubles },
    }),
    async (context) => {
      const [{ running, trouble, roles }, known] = await Promise.all([
        engine(),
        unlessNotYet(views.status()),
      ]);
      const { node, version } = settings;
      const state = { running: running ?? null, trouble: trouble ?? null, roles: [...roles] };
      return context.json({ node, version, ...state, views: known ? toViews(known) : null }, 200);
    },
  );
}

function answerNodes(app: OpenAPIHono<DeskEnv>, { nodes, clock, outage }: DeskParts): void {
  app.openapi(
    createRoute({
      ...{ method: 'get', path: '/api/v1/nodes', summary: 'The engines that share the log' },
      responses: { 200: json(shape.nodesAnswer, 'The oldest first'), ...troubles },
    }),
    async (context) => {
      const { nodes: seen, ofNobody } = await nodes.rows();
      const now = outage?.()?.since ?? clock.now();
      return context.json({ nodes: seen.map((node) => toNode(node, now)), ofNobody }, 200);
    },
  );
}

function answerQueue(app: OpenAPIHono<DeskEnv>, { queue, nodes, clock }: DeskParts): void {
  const { placeOf } = timesBy(clock);
  app.openapi(
    createRoute({
      ...{ method: 'get', path: '/api/v1/queue', summary: 'What waits, or waited' },
      request: {
        query: z.object({
          at: timeText
            .optional()
            .openapi({ description: 'an instant, or a position of the log; absent: now' }),
          limit: limit(100, 1_000),
          offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
        }),
      },
      responses: { 200: json(shape.queueAnswer, 'Those due first'), ...troubles },
    }),
    async (context) => {
      const { at, ...page } = context.req.valid('query');
      const place = placeOf(at);
      const then = await queue.queueAt({ ...page, ...(place === undefined ? {} : { place }) });
      return context.json(toQueue(then, at === undefined ? nodeIn(nodes) : undefined), 200);
    },
  );
}

/** Of a letter of now; whose it was then, nobody remembers. */
const nodeIn =
  (nodes: DeskParts['nodes']) =>
  (message: MessageId): string | undefined => {
    const owner = nodes.ownerOf(message);
    return owner === undefined ? undefined : nodes.nameOf(owner);
  };
