/** What is counted while the past is judged: how much was looked at, how much of it differs. */
import type { MessageId } from '../mail/envelope.ts';
import type { Difference, DifferenceKind, Summary } from './differences.ts';
import type { Followed } from './letter.ts';

/** So many letters that differ are remembered, for the sake of their children. */
const mostRemembered = 100_000;

const none: readonly Difference[] = [];

export type Score = {
  event(): void;
  /** One more is followed. */
  letter(recipients: number): void;
  /** Refusals that a door only counted. */
  unrecorded(count: number): void;
  /** What differs of a letter; each of these names the parent, where that one differs, too. */
  found(letter: Followed, told: readonly Difference[]): readonly Difference[];
  /** A refusal, and what would have become of it if that differs. */
  refusal(told: Difference | undefined): readonly Difference[];
  summary(): Omit<Summary, 'notes'>;
};

export function openScore(): Score {
  const differing = new Set<MessageId>();
  const counts = { events: 0, letters: 0, recipients: 0, refusals: 0, unrecorded: 0 };
  const sums: Record<DifferenceKind | 'letters' | 'refusals', number> = {
    ...{ door: 0, route: 0, owner: 0, schedule: 0, bounce: 0, letters: 0, refusals: 0 },
  };
  const ofParent = (parent: MessageId | undefined, told: readonly Difference[]) =>
    parent !== undefined && differing.has(parent)
      ? told.map((each) => ({ ...each, ofDiffering: parent }))
      : told;
  return {
    event: () => void (counts.events += 1),
    letter(recipients) {
      counts.letters += 1;
      counts.recipients += recipients;
    },
    unrecorded: (count) => void (counts.unrecorded += count),
    found(letter, told) {
      if (told.length === 0) return none;
      for (const { kind } of told) sums[kind] += 1;
      if (!letter.differs) sums.letters += 1;
      letter.differs = true;
      // Whoever its bounce tells: the bounce itself would have been made all the same.
      const isOther = told.some(({ kind }) => kind !== 'bounce');
      if (isOther && differing.size < mostRemembered) differing.add(letter.message);
      return ofParent(letter.parent, told);
    },
    refusal(told) {
      counts.refusals += 1;
      if (told === undefined) return none;
      sums.refusals += 1;
      return [told];
    },
    summary: () => ({ ...counts, differing: { ...sums } }),
  };
}
