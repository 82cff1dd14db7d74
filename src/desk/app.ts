/** The desk as one application: guards first, then assets, health, entry, API and pages. */
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { OpenAPIHono, type Hook } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { serveApi } from './api/routes.ts';
import { serveAssets } from './asset-files.ts';
import { serveEntry } from './guard/entry.ts';
import { openGate, refuseWith, type DeskEnv, type GateParts } from './guard/gate.ts';
import { sayHeaders } from './guard/headers.ts';
import { hostNames } from './guard/host-names.ts';
import { openSessions, sessionLimits } from './guard/sessions.ts';
import { openLive } from './live.ts';
import { openMetrics } from './metrics.ts';
import { formatSpan } from '../trace/words.ts';
import { servePages } from './pages/routes.ts';
import type { DeskParts } from './ports.ts';

/** The largest form is an order with its reason and some addresses. */
const mostBytes = 64 * 1024;

/** Views that are so far behind answer with what was, and a balancer should know. */
const readyWithinMs = 60_000;

export type DeskApp = {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>;
  close(): void;
};

/** A body whose length nobody says is read by `bodyLimit` and put into a copy, which only the runtime's own kind of request allows. */
const plainRequest: MiddlewareHandler = async (context, next) => {
  const { method } = context.req;
  const isMeasured = context.req.header('content-length') !== undefined;
  if (method !== 'GET' && method !== 'HEAD' && !isMeasured)
    context.req.raw = context.req.raw.clone();
  return next();
};

/** The first thing that is wrong with a question, by its name. */
const refuseOdd: Hook<unknown, DeskEnv, string, Response | undefined> = (result, context) => {
  if (result.success) return undefined;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? 'request' : issue.path.join('.');
  return context.json({ error: `${where}: ${issue?.message ?? 'not understood'}` }, 400);
};

export function deskApp(parts: DeskParts, uidOf?: GateParts['uidOf']): DeskApp {
  const { settings, log, clock } = parts;
  const app = new OpenAPIHono<DeskEnv>({ defaultHook: refuseOdd });
  const sessions = openSessions(clock, sessionLimits, () => settings.password);
  const live = openLive(log, parts.logger, parts.outage);
  const metrics = openMetrics(parts, () => live.streams);
  const isOurName = hostNames(settings.listen.host, settings.hosts);
  app.use(sayHeaders);
  app.use(openGate({ settings, sessions, isOurName, ...(uidOf && { uidOf }) }));
  app.use(plainRequest);
  app.use(
    bodyLimit({
      maxSize: mostBytes,
      onError: (context) => refuseWith(context, 'too much at once', 413),
    }),
  );
  serveAssets(app);
  serveHealth(app, parts);
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }),
  );
  serveEntry(app, parts, sessions);
  serveApi(app, parts, live);
  servePages(app, parts, live);
  return {
    fetch: (request, env) => app.fetch(request, env),
    close: () => live.close(),
  };
}

/** For balancers and supervisors: whether it lives, and whether it is of use. Anybody may ask. */
function serveHealth(app: OpenAPIHono<DeskEnv>, { engine, views, clock }: DeskParts): void {
  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/readyz', async (context) => {
    const [{ running, trouble }, status] = await Promise.all([engine(), views.status()]);
    const behindMs = status.lacksFrom === undefined ? 0 : clock.now() - status.lacksFrom;
    if (running !== true) return context.text('the queue does not answer\n', 503);
    if (trouble !== undefined) return context.text('the log is in trouble\n', 503);
    return behindMs > readyWithinMs
      ? context.text(`the views are ${formatSpan(behindMs)} behind\n`, 503)
      : context.text('ready\n');
  });
}
