/** Why letters wait: deferrals by what was said, without what differs from letter to letter. */
import type { Given, Happening, Question } from '../src/ask/ports.ts';
import type { Instant } from '../src/platform/clock.ts';

type Reason = {
  count: number;
  readonly first: Instant;
  last: Instant;
  /** How many in each of the youngest slices of the window, by number of the slice. */
  readonly slices: Map<number, number>;
};

export type DeferralReasons = {
  readonly reasons: Map<string, Reason>;
  readonly keep: number;
  /** Milliseconds; `undefined`: all the time. */
  readonly window: number | undefined;
};

/** A window is counted in so many slices, and right to one of them. */
const slicesPerWindow = 48;

export const question: Question<DeferralReasons> = {
  title: 'Reasons for deferral',
  about:
    'addresses, ids and numbers are left out of what was said, so that equal reasons are counted together',
  bounds: 'exact for --keep reasons; beyond that the oldest ones are forgotten; 2 KiB each',
  options: {
    window: { kind: 'span', about: 'count only what is no older than so long' },
    keep: { kind: 'number', about: 'how many reasons to remember', default: '1000' },
  },
  hears: ['RecipientDeferred'],
  empty: ({ window, keep }: Given): DeferralReasons => ({
    ...{ reasons: new Map(), keep: Math.max(1, Number(keep ?? 1_000)) },
    window: typeof window === 'number' ? window : undefined,
  }),
  fold(view: DeferralReasons, event: Happening) {
    if (event.type !== 'RecipientDeferred') return view;
    const reason = reasonIn(view, shapeOf(event.data.reply.text), event.at);
    reason.count += 1;
    reason.last = Math.max(reason.last, event.at);
    if (view.window !== undefined) countSlice(reason, event.at, view.window);
    return view;
  },
  answer: (view, { now }) => ({
    kind: 'table',
    columns: [
      { name: 'deferrals', format: 'count' },
      { name: 'first', format: 'instant' },
      { name: 'last', format: 'instant' },
      { name: 'reason' },
    ],
    rows: [...view.reasons]
      .map(
        ([text, reason]) =>
          [countOf(reason, now, view.window), reason.first, reason.last, text] as const,
      )
      .filter(([count]) => count > 0)
      .sort(([one], [two]) => two - one)
      .slice(0, view.keep),
  }),
};
export const { empty, fold } = question;

const looked = 300;

/** `192.0.2.7 said: 451 4.7.1 <joe@a.test> try in 300 s` → `HOST said: 451 4.7.1 ADDRESS try in N s`. */
export function shapeOf(text: string): string {
  const shape = text
    .slice(0, looked)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[^\s@]+@[^\s@]+/g, 'ADDRESS')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9a-f]*:[0-9a-f:]+:[0-9a-f]+/gi, 'HOST')
    .replace(/\b(?=[a-z]*\d)[a-z0-9]{6,}\b/gi, 'ID')
    .replace(/(?<![\d.])\d+(?![\d.]*\d)/g, (digits) => (/^[245]\d\d$/.test(digits) ? digits : 'N'));
  return shape === '' ? '(nothing was said)' : Buffer.from(shape).toString();
}

function reasonIn({ reasons, keep }: DeferralReasons, shape: string, at: Instant): Reason {
  const known = reasons.get(shape);
  if (known !== undefined) return known;
  if (reasons.size >= 2 * keep) {
    const byAge = [...reasons].sort(([, one], [, two]) => two.last - one.last);
    for (const [old] of byAge.slice(keep)) reasons.delete(old);
  }
  const fresh: Reason = { count: 0, first: at, last: at, slices: new Map() };
  reasons.set(shape, fresh);
  return fresh;
}

function countSlice({ slices }: Reason, at: Instant, window: number): void {
  const slice = Math.floor((at * slicesPerWindow) / window);
  slices.set(slice, (slices.get(slice) ?? 0) + 1);
  if (slices.size <= slicesPerWindow + 1) return;
  slices.delete(Math.min(...slices.keys()));
}

function countOf({ count, slices }: Reason, now: Instant, window: number | undefined): number {
  if (window === undefined) return count;
  const from = Math.floor(((now - window) * slicesPerWindow) / window);
  const to = Math.floor((now * slicesPerWindow) / window);
  let sum = 0;
  for (const [slice, amount] of slices) if (slice > from && slice <= to) sum += amount;
  return sum;
}
