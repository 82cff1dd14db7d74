/** Dates as qmail writes them: always UTC, always English, whatever the machine thinks. */
import type { Instant } from '../platform/clock.ts';

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
// prettier-ignore
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const two = (n: number): string => String(n).padStart(2, '0');

const timeOf = (date: Date): string =>
  `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;

const monthOf = (date: Date): string => months[date.getUTCMonth()] ?? '';

const yearOf = (date: Date): string => String(date.getUTCFullYear()).padStart(4, '0');

/**
 * `20 Nov 2026 23:48:01 -0000`, the date of `Date:` and `Received:` (RFC 5322 §3.3; the day is not padded).
 * `-0000` says: this is UTC, and nothing about where we are. qmail-qread writes `GMT` instead.
 */
export function formatDate(instant: Instant, zone: '-0000' | 'GMT' = '-0000'): string {
  const date = new Date(instant);
  return `${date.getUTCDate()} ${monthOf(date)} ${yearOf(date)} ${timeOf(date)} ${zone}`;
}

/** `Fri Nov 20 23:49:09 2026`, the date of an mbox `From ` line; the day is padded with a zero. */
export function formatFromDate(instant: Instant): string {
  const date = new Date(instant);
  const day = `${weekdays[date.getUTCDay()]} ${monthOf(date)} ${two(date.getUTCDate())}`;
  return `${day} ${timeOf(date)} ${yearOf(date)}`;
}
