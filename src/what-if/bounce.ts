/** Whom a failure would have been told to, and in whose name. Asks `bounce/report.ts`. */
import { bounceEnvelope, type BounceSettings } from '../bounce/report.ts';
import type { Address } from '../mail/envelope.ts';
import type { QueueEvent } from '../queue/events.ts';
import { lineOfValue, type RuleLine } from '../trace/rules-of-the-day.ts';
import type { Side } from './differences.ts';
import type { RuleSet } from './rule-set.ts';
import type { TwoSides } from './schedule.ts';

type Queued = Extract<QueueEvent, { type: 'BounceQueued' }>['data'];

export function judgeBounce(
  { kind, to }: Queued,
  returnPath: Address,
  was: RuleSet | undefined,
  rules: RuleSet,
): TwoSides | undefined {
  const envelope = bounceEnvelope(returnPath, rules.bounce);
  const recipient = envelope.kind === 'discard' ? undefined : envelope.recipient;
  const before = was === undefined ? undefined : nameOf(was.bounce);
  const now = nameOf(rules.bounce);
  const isNamedAlike = before === undefined || before === now;
  if (recipient === to && isNamedAlike) return undefined;
  const isDouble = kind === 'double-bounce';
  return {
    was: side(to, before, was, isDouble),
    wouldBe: side(recipient ?? 'nobody', isNamedAlike ? before : now, rules, isDouble),
  };
}

const nameOf = ({ bouncefrom, bouncehost }: BounceSettings): string =>
  `${bouncefrom}@${bouncehost}`;

const side = (
  to: string,
  from: string | undefined,
  rules: RuleSet | undefined,
  isDouble: boolean,
): Side => ({
  what: `bounce to ${to}${from === undefined ? '' : ` from ${from}`}`,
  lines: rules === undefined ? [] : linesFor(rules, isDouble),
});

function linesFor({ files, bounce }: RuleSet, isDouble: boolean): readonly RuleLine[] {
  const names = [
    ...(isDouble ? (['doublebounceto', 'doublebouncehost'] as const) : []),
    ...(['bouncefrom', 'bouncehost'] as const),
  ];
  return names.map((name) => lineOfValue(name, files, bounce[name]));
}
