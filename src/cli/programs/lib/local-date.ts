/** `20 Nov 2026 23:48:01 +0100`: the date where this machine is (qmail's predate). */
import { formatDate } from '../../../mail/date.ts';

/** `offsetMinutes` is how far local time is ahead of UTC. */
export function formatLocalDate(
  at: number,
  offsetMinutes = -new Date(at).getTimezoneOffset(),
): string {
  const there = formatDate(at + offsetMinutes * 60_000);
  const minutes = Math.abs(offsetMinutes);
  const two = (n: number) => String(n).padStart(2, '0');
  const zone = `${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
  return there.replace(/-0000$/, `${offsetMinutes < 0 ? '-' : '+'}${zone}`);
}

export const dateField = (at: number): string => `Date: ${formatLocalDate(at)}\n`;
