/** One letter as JSON: its story, the reasons, an operator's hand. */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { RecordedEvent } from '../../log/ports.ts';
import { childrenOf } from '../../trace/family.ts';
import { readLetter } from '../../trace/read-letter.ts';
import { storyTeller } from '../../trace/story.ts';
import { actByHand } from '../by-hand.ts';
import type { DeskEnv } from '../guard/gate.ts';
import { actNames } from '../pages/actions.ts';
import type { DeskParts } from '../ports.ts';
import { definedOf, id, json, timesBy, timeText, troubles } from './asking.ts';
import * as shape from './shapes.ts';
import { iso, toEvent, toReason } from './to-json.ts';

export function serveLetters(app: OpenAPIHono<DeskEnv>, parts: DeskParts): void {
  answerStory(app, parts);
  answerWhy(app, parts);
  answerAct(app, parts);
}

function answerStory(app: OpenAPIHono<DeskEnv>, { letters, log }: DeskParts): void {
  app.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/api/v1/messages/{id}',
        summary: 'One letter: its events and its story',
      },
      request: { params: id },
      responses: { 200: json(shape.letterAnswer, 'Its story'), ...troubles },
    }),
    async (context) => {
      const message = await letters.find(context.req.valid('param').id);
      const { events, lost } = await readLetter(log, message);
      const story = storyOf(events);
      const children = childrenOf(events);
      const answer = { message, events: events.map(toEvent), story, children, lost: [...lost] };
      return context.json(answer, 200);
    },
  );
}

function storyOf(events: readonly RecordedEvent[]) {
  const tell = storyTeller();
  return events.map((event) => {
    const { at, text, more } = tell(event);
    return { at: iso(at), text, more: [...more] };
  });
}

function answerWhy(app: OpenAPIHono<DeskEnv>, { letters, clock }: DeskParts): void {
  const { placeOf } = timesBy(clock);
  app.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/api/v1/messages/{id}/why',
        summary: 'The decisions behind its state, now or then',
      },
      request: {
        params: id,
        query: z.object({
          recipient: z.coerce.number().int().min(0).optional(),
          at: timeText
            .optional()
            .openapi({ description: 'as it was at an instant, or a position of the log' }),
        }),
      },
      responses: { 200: json(shape.whyAnswer, 'A reason per recipient'), ...troubles },
    }),
    async (context) => {
      const message = await letters.find(context.req.valid('param').id);
      const { recipient: rcpt, at } = context.req.valid('query');
      const how = definedOf({ rcpt, place: placeOf(at) });
      const { reasons, now } = await letters.reasons(message, how);
      return context.json(
        reasons.map((reason) => toReason(reason, now)),
        200,
      );
    },
  );
}

function answerAct(app: OpenAPIHono<DeskEnv>, parts: DeskParts): void {
  app.openapi(
    createRoute({
      ...{ method: 'post', path: '/api/v1/messages/{id}/{act}', summary: 'An operator’s hand' },
      request: {
        params: id.extend({ act: z.enum(actNames) }),
        body: { content: { 'application/json': { schema: shape.actAsk } }, required: true },
      },
      responses: {
        200: json(shape.actAnswer, 'Done, and recorded'),
        409: json(shape.trouble, 'That cannot be done'),
        ...troubles,
      },
    }),
    async (context) => {
      const { id: part, act } = context.req.valid('param');
      const { recipients: rcpts, why, to } = context.req.valid('json');
      const message = await parts.letters.find(part);
      const given = { why, ...definedOf({ rcpts, to }) };
      const said = await actByHand(parts, context.get('identity'), { message, act, ...given });
      return context.json({ message, act, said }, 200);
    },
  );
}
