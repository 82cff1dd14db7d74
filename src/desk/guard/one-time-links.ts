/**
 * Links that let whoever holds one in, once and for a while: `<born>.<nonce>.<mac>`, made by whoever can
 * read the desk's token, the command line for instance. The token itself never stands in an address.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Instant } from '../../platform/clock.ts';

/** How long a link may lie in a terminal. */
export const linkLifeMs = 12 * 3_600_000;

/** So many used ones are remembered; with more of them none is taken before the oldest has run out. */
const mostUsed = 10_000;

/** Good for `linkLifeMs` from `now` on, by the clock of whoever takes it. */
export function makeTicket(token: string, now: Instant): string {
  const words = `${now}.${randomBytes(12).toString('base64url')}`;
  return `${words}.${mac(token, words)}`;
}

export type Tickets = {
  /** Whether it is one of ours, young enough, and not used before; it is used from now on. */
  use(ticket: string, now: Instant): boolean;
};

export function openTickets(token: string): Tickets {
  const used = new Map<string, Instant>();
  return {
    use(ticket, now) {
      const match = /^((\d{1,15})\.[\w-]{16})\.([\w-]{43})$/.exec(ticket);
      if (match === null) return false;
      const [, words = '', bornText = '', sum = ''] = match;
      const born = Number(bornText);
      if (!isSame(sum, mac(token, words))) return false;
      if (now - born > linkLifeMs || born - now > 60_000) return false;
      for (const [oldest, at] of used) {
        if (now - at <= linkLifeMs) break;
        used.delete(oldest);
      }
      if (used.has(words) || used.size >= mostUsed) return false;
      used.set(words, born);
      return true;
    },
  };
}

/** Whether two secrets are the same, in a time that tells nothing about where they differ. */
export function isSame(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) =>
    createHmac('sha256', 'compare').update(text).digest(),
  );
  return timingSafeEqual(a!, b!);
}

const mac = (token: string, words: string): string =>
  createHmac('sha256', token).update(`waybill desk link ${words}`).digest('base64url');
