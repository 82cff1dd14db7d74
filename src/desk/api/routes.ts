/** The REST API: the same answers as the pages', as JSON. The OpenAPI document is made from the routes themselves. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { DeskEnv } from '../guard/gate.ts';
import type { Live } from '../live.ts';
import type { DeskParts } from '../ports.ts';
import { serveEvents } from './event-routes.ts';
import { serveLetters } from './letter-routes.ts';
import { serveQueue } from './queue-routes.ts';
import { serveViews } from './views-routes.ts';

export function serveApi(app: OpenAPIHono<DeskEnv>, parts: DeskParts, live: Live): void {
  const { settings } = parts;
  serveQueue(app, parts);
  serveViews(app, parts);
  serveLetters(app, parts);
  serveEvents(app, parts, live);
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
  });
  app.doc31('/api/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Waybill desk',
      version: settings.version,
      description: 'The queue now and then, letters, hosts, events, and an operator’s hand.',
      license: { name: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
  });
}
