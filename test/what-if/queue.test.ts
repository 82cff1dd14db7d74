/** What-if against the truth: the same mail really run under the other control files. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { QueueEvent, Route } from '../../src/queue/events.ts';
import {
  askWhatIf,
  files,
  mail,
  ofType,
  runUnder,
  type Files,
  type Posted,
  type Recorded,
} from './two-offices.ts';

const days = 3;

type Case = { readonly was: Files; readonly wouldBe: Files; readonly letters: readonly Posted[] };

async function bothRuns({ was, wouldBe, letters }: Case) {
  const [then, instead] = [
    await runUnder(was, letters, days),
    await runUnder(wouldBe, letters, days),
  ];
  return { then, instead, ...(await askWhatIf(then, was, wouldBe)) };
}

/** The other set keeps most files of the first, as an operator's change does. */
const cases: fc.Arbitrary<Case> = fc
  .tuple(files, files, fc.subarray(['locals', 'virtualdomains', 'smtproutes', 'percenthack']), mail)
  .map(([was, change, kept, letters]) => {
    const same = Object.fromEntries(Object.entries(was).filter(([name]) => kept.includes(name)));
    return { was, wouldBe: { ...change, ...same }, letters };
  });

const wayOf = ({ channel, hop, address }: Route) => ({ channel, hop, address });

describe('routes under other control files', () => {
  it('differ for exactly those letters that really go elsewhere, and are the ways they really go', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (each) => {
        const { then, instead, differences } = await bothRuns(each);
        const listed = new Map(
          differences
            .filter(({ kind }) => kind === 'route')
            .map(({ message, recipient, wouldBe }) => [`${message} ${recipient}`, wouldBe.route]),
        );
        const really = ofType(instead, 'MessageQueued');
        for (const [message, queued] of ofType(then, 'MessageQueued')) {
          const there = really.get(message);
          if (there === undefined) continue;
          queued.data.routes.forEach((way, rcpt) => {
            const other = there.data.routes[rcpt]!;
            const found = listed.get(`${message} ${rcpt}`);
            const [before, after] = [wayOf(way), wayOf(other)];
            if (JSON.stringify(before) === JSON.stringify(after)) expect(found).toBeUndefined();
            else expect(found).toEqual(after);
          });
        }
      }),
      { numRuns: 25 },
    );
  });
});

/** Verdicts on one recipient, as far as the schedule decides them. */
function verdictsOn(events: readonly Recorded[], message: string, rcpt: number) {
  return events.flatMap((event) => {
    if (event.stream !== `message-${message}`) return [];
    if (event.type !== 'RecipientDeferred' && event.type !== 'RecipientFailed') return [];
    return event.data.rcpt === rcpt ? [wordsOf(event)] : [];
  });
}

const wordsOf = (event: Extract<QueueEvent, { type: 'RecipientDeferred' | 'RecipientFailed' }>) => {
  const { startedAt } = event.data;
  if (event.type === 'RecipientDeferred') return { startedAt, dueAt: event.data.dueAt };
  return { startedAt, dueAt: event.data.expired === true ? 'too long' : 'refused' };
};

describe('the schedule under other control files', () => {
  it('differs where the real one first does, and says what that really says', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (each) => {
        const { then, instead, differences } = await bothRuns(each);
        const listed = differences.filter(({ kind }) => kind === 'schedule');
        each.letters.forEach(({ recipients }, n) => {
          const message = [...ofType(then, 'MessageAccepted').keys()].find((id) =>
            id.endsWith(n.toString(16).padStart(4, '0')),
          )!;
          recipients.forEach((_, rcpt) => {
            const [was, is] = [then, instead].map((run) => verdictsOn(run, message, rcpt));
            const at = was!.findIndex((verdict, index) => verdict.dueAt !== is![index]?.dueAt);
            const found = listed.find(
              (other) => other.message === message && other.recipient === rcpt,
            );
            if (at === -1) expect(found).toBeUndefined();
            else if (is![at]?.dueAt === 'too long')
              expect(found?.wouldBe.what).toBe('failed: too long in the queue');
            else expect(found?.wouldBe.dueAt).toBe(is![at]?.dueAt);
          });
        });
        expect(listed.every(({ fromRecord }) => fromRecord)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

describe('bounces under other control files', () => {
  it('go to whom they really go', async () => {
    const settings = fc.record({
      doublebounceto: fc.constantFrom('boss\n', 'postmaster\n'),
      bouncefrom: fc.constantFrom('MAILER-DAEMON\n', 'robot\n'),
    });
    await fc.assert(
      fc.asyncProperty(settings, settings, mail, async (was, wouldBe, letters) => {
        const { then, instead, differences } = await bothRuns({ was, wouldBe, letters });
        const really = ofType(instead, 'BounceQueued');
        const isRenamed = was.bouncefrom !== wouldBe.bouncefrom;
        for (const [message, { data }] of ofType(then, 'BounceQueued')) {
          const found = differences.find(
            (other) => other.kind === 'bounce' && other.message === message,
          );
          const to = really.get(message)!.data.to;
          if (to === data.to && !isRenamed) expect(found).toBeUndefined();
          else expect(found?.wouldBe.what).toContain(`bounce to ${to}`);
        }
      }),
      { numRuns: 8 },
    );
  });
});

describe('the same control files', () => {
  it('differ in nothing, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(files, mail, async (was, letters) => {
        const events = await runUnder(was, letters, days);
        const { differences, summary } = await askWhatIf(events, was, was);
        expect(differences).toEqual([]);
        expect(summary).toMatchObject({ events: events.length, differing: { letters: 0 } });
      }),
      { numRuns: 10 },
    );
  });
});
