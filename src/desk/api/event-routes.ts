/** Events as they come, as Server-Sent Events. */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { RecordedEvent } from '../../log/ports.ts';
import { parseMessageId } from '../../mail/message-id.ts';
import type { DeskEnv } from '../guard/gate.ts';
import type { Live } from '../live.ts';
import type { DeskParts } from '../ports.ts';
import { troubles } from './asking.ts';

const eventsQuery = z.object({
  from: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .openapi({ description: 'after this position; 0: from the first' }),
  type: z.string().max(500).optional().openapi({ description: 'types, with commas between them' }),
  stream: z
    .string()
    .max(200)
    .optional()
    .openapi({ description: 'one stream, or one letter by its id' }),
});

export function serveEvents(
  app: OpenAPIHono<DeskEnv>,
  { log }: Pick<DeskParts, 'log'>,
  live: Live,
): void {
  app.openapi(
    createRoute({
      ...{
        method: 'get',
        path: '/api/v1/events',
        summary: 'Events as they come (Server-Sent Events)',
      },
      description:
        'Each event is one line of JSON; its id is the position, so that a client that comes back with Last-Event-ID misses nothing. Without `from` it begins with what is to come.',
      request: {
        headers: z.object({ 'last-event-id': z.string().max(20).optional() }),
        query: eventsQuery,
      },
      responses: {
        200: {
          content: { 'text/event-stream': { schema: z.string() } },
          description: 'It goes on',
        },
        ...troubles,
      },
    }),
    async (context) => {
      const { from, ...wanted } = context.req.valid('query');
      const start = from ?? (await log.head());
      return await live.events(context, { from: start, isWanted: wantedBy(wanted) });
    },
  );
}

/** `type`: some, with commas between them; `stream`: its name, or a letter's id. Absent: all. */
function wantedBy({ type, stream }: { type?: string | undefined; stream?: string | undefined }) {
  const types = type === undefined ? undefined : new Set(type.split(',').map((one) => one.trim()));
  const message = stream === undefined ? undefined : parseMessageId(stream);
  const wanted = message === undefined ? stream : `message-${message}`;
  return (event: RecordedEvent): boolean =>
    (types?.has(event.type) ?? true) && (wanted === undefined || event.stream === wanted);
}
