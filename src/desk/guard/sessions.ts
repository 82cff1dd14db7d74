/**
 * Who is logged in: in memory only, so that a restart logs everybody out, as another password does. Bounded in
 * number and time.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock, Moment } from '../../platform/clock.ts';

export type Session = {
  /** For the record of what is done by hand. */
  readonly who: string;
  /** What a form of this session must carry. */
  readonly csrf: string;
  readonly endsAt: Moment;
};

export type Sessions = {
  /** The cookie's value; the session that has been idle longest makes room when there are too many. */
  open(who: string): string;
  find(cookie: string): Session | undefined;
  close(cookie: string): void;
  readonly size: number;
};

export const sessionLimits = { sessions: 100, idleMs: 8 * 3_600_000, ageMs: 7 * 86_400_000 };

export function openSessions(
  clock: Pick<Clock, 'steady'>,
  { sessions, idleMs, ageMs } = sessionLimits,
  /** The line of the password that counts now. */
  password: () => string | undefined = () => undefined,
): Sessions {
  /** By the digest of the cookie: whoever reads our memory dump cannot log in. The idlest first. */
  const open = new Map<string, Session & { heardAt: Moment; readonly under: string | undefined }>();
  return {
    get size() {
      return open.size;
    },
    open(who) {
      const now = clock.steady();
      for (const oldest of open.keys()) {
        if (open.size < sessions) break;
        open.delete(oldest);
      }
      const cookie = random();
      const times = { endsAt: now + ageMs, heardAt: now };
      open.set(digest(cookie), { who, csrf: random(), ...times, under: password() });
      return cookie;
    },
    find(cookie) {
      const key = digest(cookie);
      const session = open.get(key);
      if (session === undefined) return undefined;
      const now = clock.steady();
      open.delete(key);
      if (now >= session.endsAt || now - session.heardAt > idleMs) return undefined;
      if (session.under !== password()) return undefined;
      session.heardAt = now;
      open.set(key, session);
      return session;
    },
    close: (cookie) => void open.delete(digest(cookie)),
  };
}

const random = (): string => randomBytes(32).toString('base64url');
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
