/** The ways in and out: the password, a one-time link, and leaving. */
import type { Context } from 'hono';
import { getCookie, deleteCookie } from 'hono/cookie';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { safe } from '../../trace/words.ts';
import { loginPage } from '../pages/login.ts';
import type { DeskParts } from '../ports.ts';
import { openAttempts } from './attempts.ts';
import { cookieName, giveCookie, hasWord, type DeskEnv } from './gate.ts';
import { openTickets } from './one-time-links.ts';
import type { Logger } from '../../platform/logger.ts';
import { isPassword, parsePasswordHash } from '../../platform/password-hash.ts';
import type { Sessions } from './sessions.ts';

export function serveEntry(
  app: OpenAPIHono<DeskEnv>,
  { settings, clock, logger }: DeskParts,
  sessions: Sessions,
): void {
  /** Another one may count by now. */
  const passwordNow = () =>
    settings.password === undefined ? undefined : parsePasswordHash(settings.password);
  const tickets = openTickets(settings.token);
  const page: LoginPage = (next, trouble) =>
    loginPage({ next, hasPassword: passwordNow() !== undefined, ...(trouble && { trouble }) });
  const parts = { passwordNow, page, sessions, logger, attempts: openAttempts(clock) };

  app.get('/login', (context) =>
    context.get('identity') === undefined
      ? context.html(page(ownPath(context.req.query('next'))))
      : context.redirect('/', 303),
  );
  app.post('/login', (context) => logIn(context, parts));
  app.get('/enter', (context) => {
    if (!tickets.use(context.req.query('ticket') ?? '', clock.now())) {
      return context.html(page('/', usedTicket), 403);
    }
    giveCookie(context, sessions.open('operator'));
    return context.redirect('/', 303);
  });
  app.post('/logout', (context) => logOut(context, sessions));
}

const usedTicket = 'This link was used before, or is too old: waybill desk link makes a new one.';

type LoginPage = (next: string, trouble?: string) => ReturnType<typeof loginPage>;

type LoginParts = {
  /** `undefined`: nobody has set a password, and nobody gets in by one. */
  readonly passwordNow: () => ReturnType<typeof parsePasswordHash>;
  readonly page: LoginPage;
  readonly attempts: ReturnType<typeof openAttempts>;
  readonly sessions: Sessions;
  readonly logger: Logger;
};

async function logIn(context: Context<DeskEnv>, parts: LoginParts): Promise<Response> {
  const { passwordNow, page, attempts, sessions, logger } = parts;
  const wanted = passwordNow();
  const { next: asked, password, who } = await context.req.parseBody();
  const next = ownPath(asked);
  const address = addressOf(context);
  if (wanted === undefined || typeof password !== 'string') {
    return context.html(page(next, 'No password is set.'), 403);
  }
  const waitMs = attempts.begin(address);
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1000);
    context.header('Retry-After', String(seconds));
    return context.html(page(next, `Too many tries: wait ${seconds} s.`), 429);
  }
  if (!(await isPassword(password, wanted))) {
    logger.warn({ address }, 'wrong password at the desk');
    return context.html(page(next, 'That is not the password.'), 403);
  }
  attempts.right(address);
  const name = typeof who === 'string' ? safe(who, 60) : '';
  giveCookie(context, sessions.open(name === '' ? `somebody at ${address}` : name));
  logger.info({ address, who: name }, 'logged in at the desk');
  return context.redirect(next, 303);
}

async function logOut(context: Context<DeskEnv>, sessions: Sessions): Promise<Response> {
  const { csrf } = await context.req.parseBody();
  if (!hasWord(context.get('identity'), csrf)) {
    return context.text('Refused: the form is too old.\n', 403);
  }
  sessions.close(getCookie(context, cookieName) ?? '');
  deleteCookie(context, cookieName, { path: '/' });
  return context.redirect('/login', 303);
}

/** A place of ours to go on to; anything else is `/`. */
export const ownPath = (given: unknown): string =>
  typeof given === 'string' && /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(given) && given.length < 2_000
    ? given
    : '/';

const addressOf = (context: Context<DeskEnv>): string =>
  context.env.incoming.socket.remoteAddress ?? 'nowhere';
