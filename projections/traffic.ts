/** How much mail came, went and was turned away, hour by hour or in any other step. */
import type { Given, Happening, Question } from '../src/ask/ports.ts';
import type { Instant } from '../src/platform/clock.ts';

const names = [
  'letters',
  'bytes',
  'recipients',
  'delivered',
  'deferred',
  'failed',
  'bounces',
  'refused',
] as const;
const column = Object.fromEntries(names.map((name, index) => [name, index])) as {
  readonly [N in (typeof names)[number]]: number;
};

export type Traffic = {
  readonly everyMs: number;
  readonly keep: number;
  /** Sums by the instant at which a step begins. */
  readonly steps: Map<Instant, Float64Array>;
  /** The step of the last event, most often that of the next. */
  current: { readonly from: Instant; readonly sums: Float64Array } | undefined;
};

export const question: Question<Traffic> = {
  title: 'Traffic',
  about:
    'letters taken in, their bytes and recipients; deliveries by outcome; bounces made; what the doors refused',
  bounds: 'the last --keep steps, 250 bytes each',
  options: {
    every: { kind: 'span', about: 'length of a step', default: '1h' },
    keep: { kind: 'number', about: 'how many steps to remember, the youngest', default: '2000' },
  },
  hears: [
    'MessageAccepted',
    'RecipientDelivered',
    'RecipientDeferred',
    'RecipientFailed',
    'BounceQueued',
    'Refused',
    'RefusalsSuppressed',
  ],
  empty: ({ every, keep }: Given): Traffic => ({
    ...{ everyMs: Number(every ?? 3_600_000), keep: Math.max(1, Number(keep ?? 2_000)) },
    ...{ steps: new Map(), current: undefined },
  }),
  fold(traffic: Traffic, event: Happening) {
    const sums = stepAt(traffic, event.at);
    switch (event.type) {
      case 'MessageAccepted':
        sums[column.letters]! += 1;
        sums[column.bytes]! += event.data.body.bytes;
        sums[column.recipients]! += event.data.envelope.recipients.length;
        break;
      case 'RecipientDelivered':
        sums[column.delivered]! += 1;
        break;
      case 'RecipientDeferred':
        sums[column.deferred]! += 1;
        break;
      case 'RecipientFailed':
        sums[column.failed]! += 1;
        break;
      case 'BounceQueued':
        sums[column.bounces]! += 1;
        break;
      case 'Refused':
        sums[column.refused]! += 1;
        break;
      case 'RefusalsSuppressed':
        sums[column.refused]! += event.data.count;
        break;
      default:
    }
    return traffic;
  },
  answer: ({ steps, keep }) => ({
    kind: 'table',
    columns: [
      { name: 'from', format: 'instant' },
      ...names.map((name) => ({ name, format: 'count' as const })),
    ],
    rows: [...steps]
      .sort(([one], [two]) => one - two)
      .slice(-keep)
      .map(([from, sums]) => [from, ...sums]),
  }),
};
export const { empty, fold } = question;

function stepAt(traffic: Traffic, at: Instant): Float64Array {
  const { everyMs, steps, keep, current } = traffic;
  const from = Math.floor(at / everyMs) * everyMs;
  if (current?.from === from) return current.sums;
  const sums = steps.get(from) ?? new Float64Array(names.length);
  steps.set(from, sums);
  traffic.current = { from, sums };
  if (steps.size > 2 * keep) {
    for (const old of [...steps.keys()].sort((a, b) => a - b).slice(0, -keep)) steps.delete(old);
  }
  return sums;
}
