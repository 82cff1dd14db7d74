/** When a recipient would have been tried again, or given up. Asks `queue/schedule.ts`; the reply is the recorded one. */
import type { Instant } from '../platform/clock.ts';
import type { QueueEvent } from '../queue/events.ts';
import type { ChannelName } from '../queue/ports.ts';
import { isExpired, nextAttempt } from '../queue/schedule.ts';
import { formatInstant } from '../trace/words.ts';
import { lineOfValue } from '../trace/rules-of-the-day.ts';
import type { Side } from './differences.ts';
import type { RuleSet } from './rule-set.ts';

type Verdict = Extract<QueueEvent, { type: 'RecipientDeferred' | 'RecipientFailed' }>;

export type TwoSides = { readonly was: Side; readonly wouldBe: Side };

/** `channel`: by the new rules. `undefined`: the same as recorded, or it has nothing to do with a schedule. */
export function judgeVerdict(
  event: Verdict,
  { birth, channel }: { readonly birth: Instant; readonly channel: ChannelName },
  was: RuleSet | undefined,
  rules: RuleSet,
): TwoSides | undefined {
  if (event.type === 'RecipientFailed' && event.data.expired !== true) return undefined;
  // What a restart cut off is due at once, however old the letter is.
  if (event.type === 'RecipientDeferred' && isCutOff(event)) return undefined;
  const { startedAt } = event.data;
  const gaveUp = event.type === 'RecipientFailed';
  const givesUp = isExpired(birth, startedAt, rules.controls.queuelifetime);
  if (gaveUp && givesUp) return undefined;
  const dueAt = nextAttempt(birth, startedAt, channel);
  if (!gaveUp && !givesUp && event.data.dueAt === dueAt) return undefined;
  const lifetime = (set: RuleSet) => [
    lineOfValue('queuelifetime', set.files, `${set.controls.queuelifetime} seconds`),
  ];
  const isLifetime = gaveUp !== givesUp;
  return {
    was: {
      ...(gaveUp ? tooLong : due(event.data.dueAt)),
      lines: was !== undefined && isLifetime ? lifetime(was) : [],
    },
    wouldBe: { ...(givesUp ? tooLong : due(dueAt)), lines: isLifetime ? lifetime(rules) : [] },
  };
}

const isCutOff = ({ at, data }: Extract<Verdict, { type: 'RecipientDeferred' }>): boolean =>
  data.doubt === true && data.dueAt === at;

const tooLong = { what: 'failed: too long in the queue' };
const due = (dueAt: Instant) => ({ what: `due ${formatInstant(dueAt)}`, dueAt });
