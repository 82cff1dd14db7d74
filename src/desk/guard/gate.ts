/**
 * Who may come in. With a password set: whoever has logged in, and programs that hold the token. Without
 * one: whoever the kernel says is the engine's own user, over the loopback; and who holds a one-time link.
 */
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Socket } from 'node:net';
import { isLoopback } from '../../mail/ip-address.ts';
import type { DeskSettings } from '../ports.ts';
import type { HostNames } from './host-names.ts';
import { isSame } from './one-time-links.ts';
import { peerUid } from './peer-uid.ts';
import { sessionLimits, type Sessions } from './sessions.ts';

export type Identity = {
  /** For the record. */
  readonly who: string;
  readonly how: 'own' | 'session' | 'token';
  /** What a form must carry; of no use to a program. */
  readonly csrf: string;
};

export type DeskEnv = { Bindings: HttpBindings; Variables: { identity: Identity } };

export type GateParts = {
  readonly settings: DeskSettings;
  readonly sessions: Sessions;
  readonly isOurName: HostNames;
  /** For tests: whose connection it is. */
  readonly uidOf?: (socket: Socket) => number | undefined;
};

/** Neither asks who it is: they tell nothing, and their callers call us by any name. */
const open = new Set(['/healthz', '/readyz']);
const beforeLogin = /^\/(login|enter|assets\/[\w.-]+)$/;

export const cookieName = 'waybill_desk';

export function openGate(parts: GateParts): MiddlewareHandler<DeskEnv> {
  const identify = identifier(parts);
  return async (context, next) => {
    const { path } = context.req;
    if (open.has(path)) return next();
    if (!parts.isOurName(context.req.header('host'))) return notOurName(context);
    const identity = identify(context);
    if (identity !== undefined) context.set('identity', identity);
    else if (!beforeLogin.test(path)) return refuse(context);
    const why = forged(context, identity);
    if (why !== undefined) return refuseWith(context, why, 403);
    return next();
  };
}

function identifier({ settings, sessions, uidOf = uidOfSocket }: GateParts) {
  const ownCsrf = randomBytes(32).toString('base64url');
  const seen = new WeakMap<Socket, number | undefined>();
  const isOwn = (socket: Socket): boolean => {
    const { password, ownUid } = settings;
    if (password !== undefined || ownUid === undefined) return false;
    if (!isLoopback(socket.remoteAddress)) return false;
    if (!seen.has(socket)) seen.set(socket, uidOf(socket));
    return seen.get(socket) === ownUid;
  };
  return (context: Context<DeskEnv>): Identity | undefined => {
    const given = /^Bearer (\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    if (given !== undefined) {
      return isSame(given, settings.token) ? { who: 'token', how: 'token', csrf: '' } : undefined;
    }
    const session = sessions.find(getCookie(context, cookieName) ?? '');
    if (session !== undefined) return { who: session.who, how: 'session', csrf: session.csrf };
    return !isForwarded(context) && isOwn(context.env.incoming.socket)
      ? { who: nameOf(settings.ownUid!), how: 'own', csrf: ownCsrf }
      : undefined;
  };
}

/** A proxy of ours would lend our name to everybody behind it. */
const isForwarded = ({ req }: Context): boolean =>
  ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some(
    (name) => req.header(name) !== undefined,
  );

function uidOfSocket(socket: Socket): number | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return peerUid({ remoteAddress, remotePort, localAddress, localPort });
}

function nameOf(uid: number): string {
  if (uid === 0) return 'root';
  try {
    if (uid === process.getuid?.()) return userInfo().username;
  } catch {
    // A number without an account.
  }
  return `uid ${uid}`;
}

const streams = ['/live', '/tail/events'];

/** What only programs and scripts ask for. */
const isProgram = (path: string): boolean =>
  path.startsWith('/api/') || path === '/metrics' || streams.includes(path);

function notOurName(context: Context): Response {
  const said =
    'This desk is not called by that name. Use the address it was started with, or add the name to [desk] hosts.\n';
  return isProgram(context.req.path)
    ? context.json({ error: said.trim() }, 421)
    : context.text(said, 421);
}

/** JSON for programs, a line of text for people. */
export const refuseWith = (context: Context, why: string, status: 403 | 413): Response =>
  isProgram(context.req.path)
    ? context.json({ error: why }, status)
    : context.text(`Refused: ${why}.\n`, status);

function refuse(context: Context): Response {
  const { path, url } = context.req;
  if (isProgram(path)) {
    const error = 'log in, or send the token: Authorization: Bearer …';
    return context.json({ error }, 401, { 'WWW-Authenticate': 'Bearer realm="waybill"' });
  }
  if (context.req.method !== 'GET') return context.text('Log in first.\n', 401);
  const { pathname, search } = new URL(url);
  const wanted = pathname === '/' ? '' : `?next=${encodeURIComponent(pathname + search)}`;
  return context.redirect(`/login${wanted}`, 303);
}

/**
 * Why a request may not be its person's own wish. A browser says where a request comes from, and no page
 * can make it lie; forms carry a word that other pages do not know; programs send JSON, which no form can.
 */
function forged(context: Context<DeskEnv>, identity: Identity | undefined): string | undefined {
  const { method, path } = context.req;
  if (identity?.how === 'token') return undefined;
  const site = context.req.header('sec-fetch-site');
  const isElsewhere = site !== undefined && site !== 'same-origin' && site !== 'none';
  const isSafe = method === 'GET' || method === 'HEAD';
  if (isSafe)
    return isElsewhere && isProgram(path) ? 'the request comes from another site' : undefined;
  const origin = context.req.header('origin');
  const isOther = origin !== undefined && !isOrigin(origin, context.req.header('host'));
  if (isElsewhere || isOther) return 'the request comes from another site';
  if (!isProgram(path)) return undefined;
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) return 'send JSON';
  const isTold = isSame(context.req.header('x-csrf-token') ?? '', identity?.csrf ?? '');
  return identity?.how === 'session' && !isTold ? 'X-CSRF-Token is missing or wrong' : undefined;
}

function isOrigin(origin: string, host: string | undefined): boolean {
  try {
    const { protocol, host: given } = new URL(origin);
    return given === new URL(`${protocol}//${host ?? ''}`).host;
  } catch {
    // `null`, and whatever else is no address.
    return false;
  }
}

/** Whether a form carries its session's word. */
export const hasWord = (identity: Identity, given: unknown): boolean =>
  typeof given === 'string' && identity.csrf !== '' && isSame(given, identity.csrf);

/** Logs a browser in. `Secure` where it came through a proxy that says so. */
export function giveCookie(context: Context, cookie: string): void {
  setCookie(context, cookieName, cookie, {
    ...{ httpOnly: true, sameSite: 'Strict', path: '/' },
    secure: context.req.header('x-forwarded-proto') === 'https',
    maxAge: sessionLimits.ageMs / 1000,
  });
}
