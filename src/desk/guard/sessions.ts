/** Who is logged in: in memory only, so that a restart logs everybody out. Bounded in number and time. */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock, Instant } from '../../platform/clock.ts';

export type Session = {
  /** For the record of what is done by hand. */
  readonly who: string;
  /** What a form of this session must carry. */
  readonly csrf: string;
  readonly endsAt: Instant;
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
  clock: Pick<Clock, 'now'>,
  { sessions, idleMs, ageMs } = sessionLimits,
): Sessions {
  /** By the digest of the cookie: whoever reads our memory dump cannot log in. The idlest first. */
  const open = new Map<string, Session & { heardAt: Instant }>();
  return {
    get size() {
      return open.size;
    },
    open(who) {
      const now = clock.now();
      for (const oldest of open.keys()) {
        if (open.size < sessions) break;
        open.delete(oldest);
      }
      const cookie = random();
      open.set(digest(cookie), { who, csrf: random(), endsAt: now + ageMs, heardAt: now });
      return cookie;
    },
    find(cookie) {
      const key = digest(cookie);
      const session = open.get(key);
      if (session === undefined) return undefined;
      const now = clock.now();
      open.delete(key);
      if (now >= session.endsAt || now - session.heardAt > idleMs) return undefined;
      session.heardAt = now;
      open.set(key, session);
      return session;
    },
    close: (cookie) => void open.delete(digest(cookie)),
  };
}

const random = (): string => randomBytes(32).toString('base64url');
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
