/**
 * Judges one event after the other. A letter is followed from its acceptance to its end; of each recipient the first
 * difference of a kind is told, since what would have come after it nobody knows.
 */
import type { DoorEvent } from '../ingress/events.ts';
import type { RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { messageOf, type QueueEvent } from '../queue/events.ts';
import { toRefusal } from '../trace/refusals.ts';
import { loadingOf, rulesBefore } from '../trace/rules-of-the-day.ts';
import type { Difference, DifferenceKind, Summary } from './differences.ts';
import type { KnownHomes, LocalPair } from './homes-cache.ts';
import { openLetter, type Followed } from './letter.ts';
import { judgeRefusal } from './refusal.ts';
import { routeBy } from './route.ts';
import { toRuleSet, type RuleSet } from './rule-set.ts';
import type { WhatIf } from './what-if.ts';

type Recorded = RecordedEvent & QueueEvent;

const none: readonly Difference[] = [];

/** So many letters that differ are remembered, for the sake of their children. */
const mostRemembered = 100_000;

export type Judge = {
  hear(event: RecordedEvent): readonly Difference[];
  /** Recipients whose homes will be asked for when these events are heard. */
  localsIn(page: readonly RecordedEvent[]): Iterable<LocalPair>;
  summary(): Omit<Summary, 'notes'>;
  /** Letters that are followed at this point. */
  readonly open: number;
};

export function openJudge(question: WhatIf, homes: KnownHomes | undefined): Judge {
  const { rules, since = -Infinity, until = Infinity } = question;
  const old = oldRules(question);
  const parts = { rules, old, homes, ...copied(question) };
  const open = new Map<MessageId, Followed>();
  const differing = new Set<MessageId>();
  const counts = { events: 0, letters: 0, recipients: 0, refusals: 0, unrecorded: 0 };
  const found: Record<DifferenceKind | 'letters' | 'refusals', number> = {
    ...{ door: 0, route: 0, owner: 0, schedule: 0, bounce: 0, letters: 0, refusals: 0 },
  };
  const isWanted = (at: number): boolean => at >= since && at <= until;

  const tally = (letter: Followed, told: readonly Difference[]): readonly Difference[] => {
    if (told.length === 0) return none;
    for (const { kind } of told) found[kind] += 1;
    if (!letter.differs) {
      letter.differs = true;
      found.letters += 1;
    }
    // Whoever its bounce tells: the bounce itself would have been made all the same.
    const isOther = told.some(({ kind }) => kind !== 'bounce');
    if (isOther && differing.size < mostRemembered) differing.add(letter.message);
    const { parent } = letter;
    return parent !== undefined && differing.has(parent)
      ? told.map((each) => ({ ...each, ofDiffering: parent }))
      : told;
  };
  const hearLetter = (message: MessageId, event: Recorded): readonly Difference[] => {
    if (event.type === 'MessageAccepted') {
      if (!isWanted(event.at)) return none;
      open.set(message, openLetter(message, event, parts));
      counts.letters += 1;
      counts.recipients += event.data.envelope.recipients.length;
      return none;
    }
    const letter = open.get(message);
    if (letter === undefined) return none;
    if (event.type === 'MessageCleanedUp') open.delete(message);
    const told = letter.hear(event);
    return told.length === 0 ? none : tally(letter, told);
  };
  const hearDoor = (event: RecordedEvent & DoorEvent): readonly Difference[] => {
    if (!isWanted(event.at)) return none;
    if (event.type === 'RefusalsSuppressed') {
      counts.unrecorded += event.data.count;
      return none;
    }
    counts.refusals += 1;
    const refusal = toRefusal(event, question.history);
    const told = judgeRefusal(refusal, old.inForce(event.position), rules, homes);
    if (told === undefined) return none;
    found.refusals += 1;
    return [told];
  };
  return {
    hear(event) {
      counts.events += 1;
      const message = messageOf(event.stream);
      if (message !== undefined) return hearLetter(message, event as Recorded);
      return event.stream.startsWith('door-') ? hearDoor(event as RecordedEvent & DoorEvent) : none;
    },
    localsIn: (page) => localPairs(page, rules),
    summary: () => ({ ...counts, differing: { ...found } }),
    get open() {
      return open.size;
    },
  };
}

const copied = ({ copyTo }: WhatIf) => (copyTo === undefined ? {} : { copyTo });

/** Old rules by digest and by place in the log, made ready once each. `undefined`: not on record, or not readable. */
export type OldRules = {
  of(digest: string, position: number): RuleSet | undefined;
  inForce(position: number): RuleSet | undefined;
};

function oldRules({ history }: WhatIf): OldRules {
  const made = new Map<string, RuleSet | undefined>();
  const prepare = (loaded: ReturnType<typeof loadingOf>): RuleSet | undefined => {
    if (loaded === undefined) return undefined;
    const { digest, files } = loaded;
    if (!made.has(digest)) made.set(digest, tryRuleSet(files, digest));
    return made.get(digest);
  };
  return {
    of: (digest, position) => made.get(digest) ?? prepare(loadingOf(history, digest, position)),
    inForce: (position) => prepare(rulesBefore(history, position)),
  };
}

function tryRuleSet(files: RuleSet['files'], digest: string): RuleSet | undefined {
  try {
    return toRuleSet(files, { digest });
  } catch {
    // A stricter release reads the log of a laxer one: what was recorded still counts.
    return undefined;
  }
}

function* localPairs(page: readonly RecordedEvent[], rules: RuleSet): Generator<LocalPair> {
  for (const event of page) {
    if (event.type === 'Refused') {
      const { recipient } = event.data as { readonly recipient?: string };
      if (recipient !== undefined) yield local(undefined, routeBy(recipient, rules));
    }
    const accepted = event as Recorded;
    if (accepted.type !== 'MessageAccepted') continue;
    for (const recipient of accepted.data.envelope.recipients) {
      yield local(undefined, routeBy(recipient, rules));
    }
  }
  for (const event of page as readonly Recorded[]) {
    if (event.type !== 'MessageQueued') continue;
    for (const way of event.data.routes) yield local(way, undefined);
  }
}

type Way = ReturnType<typeof routeBy> | undefined;

const local = (was: Way, wouldBe: Way): LocalPair => ({
  ...(was?.channel === 'local' ? { was: was.address } : {}),
  ...(wouldBe?.channel === 'local' ? { wouldBe: wouldBe.address } : {}),
});
