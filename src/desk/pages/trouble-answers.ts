/** What is answered when there is no answer: programs hear JSON, people see a page. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import { isTrouble, type Trouble } from '../../mail/trouble.ts';
import type { Logger } from '../../platform/logger.ts';
import type { DeskEnv } from '../guard/gate.ts';
import type { DeskParts } from '../ports.ts';
import { page } from './layout.ts';
import { frameFor, type Ask } from './showing.ts';
import { troublePage } from './trouble-page.ts';

export function serveTroubles(app: OpenAPIHono<DeskEnv>, parts: DeskParts): void {
  app.notFound((context) => answerUnknown(context, parts));
  app.onError((cause, context) => answerTrouble(context, cause, parts));
}

function answerUnknown(context: Ask, parts: DeskParts): Response | Promise<Response> {
  if (isForPrograms(context)) return context.json({ error: 'there is no such thing here' }, 404);
  const words = troublePage('Not here', 'There is no such page.');
  return context.html(page(frameFor(parts, context, 'Not here'), words), 404);
}

function answerTrouble(
  context: Ask,
  cause: unknown,
  parts: DeskParts,
): Response | Promise<Response> {
  if (cause instanceof HTTPException) {
    return isForPrograms(context)
      ? context.json({ error: cause.message }, cause.status)
      : cause.getResponse();
  }
  const { status, title, words } = isTrouble(cause)
    ? toldOf(cause, context.req.method)
    : bugAt(context, cause, parts.logger);
  if (isForPrograms(context) || context.get('identity') === undefined) {
    return context.json({ error: words }, status);
  }
  // What will be there in a moment is looked for again.
  if (status === 503) context.header('Refresh', '3');
  return context.html(page(frameFor(parts, context, title), troublePage(title, words)), status);
}

type Told = {
  readonly status: 400 | 404 | 409 | 500 | 503;
  readonly title: string;
  readonly words: string;
};

const failed = 'That did not work';

function toldOf({ code, tryAgain, message: words }: Trouble, method: string): Told {
  if (tryAgain) return { status: 503, title: 'Not yet', words };
  if (code === 'not-found') return { status: 404, title: 'Not here', words };
  return { status: method === 'GET' ? 400 : 409, title: failed, words };
}

/** Told to the engine's own log only. */
function bugAt(context: Ask, bug: unknown, logger: Logger): Told {
  const stack = bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
  logger.error({ path: context.req.path, cause: stack }, 'bug at the desk');
  const words = 'Something is wrong here; the engine’s log has more.';
  return { status: 500, title: failed, words };
}

const isForPrograms = (context: Ask): boolean => context.req.path.startsWith('/api/');
