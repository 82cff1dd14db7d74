/** Which page answers which address. A route reads what was asked, asks those who know, hands it to the page. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { DeskEnv } from '../guard/gate.ts';
import type { Live } from '../live.ts';
import type { DeskParts } from '../ports.ts';
import { serveAsk } from './ask-page.ts';
import { serveLetterPages } from './letter-routes.ts';
import { showFor, type Ask, type PageParts } from './showing.ts';
import { serveState } from './state-routes.ts';
import { tailPage, tailRow } from './tail-page.ts';
import { serveTroubles } from './trouble-answers.ts';
import { serveWhatIf } from './what-if-page.ts';

export function servePages(app: OpenAPIHono<DeskEnv>, desk: DeskParts, live: Live): void {
  const parts = { ...desk, show: showFor(desk) };
  serveState(app, parts);
  serveLetterPages(app, parts);
  serveTail(app, parts, live);
  if (desk.questions !== undefined) serveAsk(app, parts, desk.questions);
  if (desk.otherwise !== undefined) serveWhatIf(app, parts, desk.otherwise);
  serveTroubles(app, desk);
}

function serveTail(app: OpenAPIHono<DeskEnv>, parts: PageParts, live: Live): void {
  const { log } = parts;
  app.get('/tail', (context) => showTail(context, parts));
  app.get('/tail/events', async (context) => {
    const after = Number(context.req.query('after'));
    const from = Number.isSafeInteger(after) && after >= 0 ? after : await log.head();
    return live.events(context, { from, format: tailRow });
  });
  app.get('/live', (context) => live.ticks(context));
}

/** Events that are there before the first new one comes. */
const tailRows = 40;

async function showTail(context: Ask, { log, show }: PageParts): Promise<Response> {
  const events = await log.readAll({ direction: 'backwards', limit: tailRows });
  const after = events[0]?.position ?? 0;
  return show(context, 'Live', tailPage({ events, after }), '/tail');
}
