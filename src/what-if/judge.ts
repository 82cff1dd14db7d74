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
import type { Difference, Summary } from './differences.ts';
import type { KnownHomes, LocalPair } from './homes-cache.ts';
import { openLetter, type Followed } from './letter.ts';
import { judgeRefusal } from './refusal.ts';
import { routeBy } from './route.ts';
import { toRuleSet, type RuleSet } from './rule-set.ts';
import { openScore } from './score.ts';
import type { WhatIf } from './what-if.ts';

type Recorded = RecordedEvent & QueueEvent;

const none: readonly Difference[] = [];

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
  const score = openScore();
  const isWanted = (at: number): boolean => at >= since && at <= until;

  const hearLetter = (message: MessageId, event: Recorded): readonly Difference[] => {
    if (event.type === 'MessageAccepted') {
      if (!isWanted(event.at)) return none;
      open.set(message, openLetter(message, event, parts));
      score.letter(event.data.envelope.recipients.length);
      return none;
    }
    const letter = open.get(message);
    if (letter === undefined) return none;
    if (event.type === 'MessageCleanedUp') open.delete(message);
    return score.found(letter, letter.hear(event));
  };
  const hearDoor = (event: RecordedEvent & DoorEvent): readonly Difference[] => {
    if (!isWanted(event.at)) return none;
    if (event.type === 'RefusalsSuppressed') {
      score.unrecorded(event.data.count);
      return none;
    }
    const refusal = toRefusal(event, question.history);
    return score.refusal(judgeRefusal(refusal, old.inForce(event.position), rules, homes));
  };
  return {
    hear(event) {
      score.event();
      const message = messageOf(event.stream);
      if (message !== undefined) return hearLetter(message, event as Recorded);
      return event.stream.startsWith('door-') ? hearDoor(event as RecordedEvent & DoorEvent) : none;
    },
    localsIn: (page) => localPairs(page, rules),
    summary: () => score.summary(),
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
