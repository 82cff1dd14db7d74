/** Instants, spans, sizes and strangers' texts as a person reads them. Always UTC. */
import { safeLine } from '../mail/sanitize.ts';
import type { Address } from '../mail/envelope.ts';
import type { Reply } from '../mail/verdict.ts';
import type { Instant } from '../platform/clock.ts';

/** Beyond this no calendar goes (ECMA-262 §21.4.1.1). */
const lastInstant = 8.64e15;

/** `2026-11-21T06:00:00Z`; with `ms`, `2026-11-21T06:00:00.123Z`. `parseInstant` reads both back. */
export function formatInstant(at: Instant, precision: 's' | 'ms' = 's'): string {
  if (!(Math.abs(at) <= lastInstant)) return 'never';
  const text = new Date(at).toISOString();
  return precision === 'ms' ? text : `${text.slice(0, -5)}Z`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `320 ms`, `1.2 s`, `6 min 40 s`, `3 h 2 min`, `2 d 4 h`: the two largest units. Negative counts as 0. */
export function formatSpan(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const whole = Math.round(ms / 1_000) * 1_000;
  const first = units.findIndex(([, size]) => whole >= size);
  const [name, size] = units[first]!;
  const [nextName, nextSize] = units[first + 1] ?? ['', 0];
  const rest = nextSize === 0 ? 0 : Math.floor((whole % size) / nextSize);
  const head = `${Math.floor(whole / size)} ${name}`;
  return rest === 0 ? head : `${head} ${rest} ${nextName}`;
}

/** `in 3 min 20 s`, `now`, `4 s ago`. */
export function formatWhen(at: Instant, now: Instant): string {
  if (Math.abs(at - now) < 1_000) return 'now';
  return at > now ? `in ${formatSpan(at - now)}` : `${formatSpan(now - at)} ago`;
}

/** `1 recipient`, `2 recipients`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** A stranger's text as one harmless line. */
export const safe = (text: string, maxLength = 300): string => safeLine(text, maxLength);

/** `<a@b.test>`, `<>` for the empty return path. */
export const formatParty = (address: Address): string => `<${safe(address)}>`;

/** `joe (a reason)`: who did it by hand, and what for. */
export const formatHand = ({ by, why }: { readonly by: string; readonly why: string }): string =>
  `${safe(by, 80)}${why === '' ? '' : ` (${safe(why)})`}`;

/** What the far side said, and who said it where the words do not tell. */
export function formatReply(reply: Reply, maxLength = 600): string {
  const said = safe(reply.text, maxLength);
  const where = reply.address ?? reply.host;
  if (where === undefined || said.includes(where)) return said;
  const host = reply.host === undefined || reply.host === where ? '' : `${reply.host} `;
  return `${safe(`${host}[${where}]`)}: ${said}`;
}
