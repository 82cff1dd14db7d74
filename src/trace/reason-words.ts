/** A reason in sentences that need no knowledge of qmail: how it came in, where it goes, what was said, what it waits for. */
import type { Instant } from '../platform/clock.ts';
import { attemptWords } from './attempt-words.ts';
import { entryWords, lineWords, versionWords } from './entry-words.ts';
import type { Reason } from './reason.ts';
import type { Lifetime, Schedule } from './reason-schedule.ts';
import { slotWords, waitedWords } from './slot-words.ts';
import { formatWay } from './story.ts';
import {
  count,
  formatHand,
  formatInstant,
  formatParty,
  formatSpan,
  formatWhen,
  safe,
} from './words.ts';

export function formatReason(reason: Reason, now: Instant): readonly string[] {
  return [
    ...entryWords(reason),
    ...route(reason),
    ...startWords(reason),
    ...verdict(reason),
    ...(reason.schedule === undefined ? [] : schedule(reason.schedule, now)),
    ...(reason.lifetime === undefined ? [] : [lifetime(reason.lifetime)]),
    ...byHand(reason),
    ...bounce(reason),
    ...waiting(reason, now),
  ];
}

function route({ route: way, address, envelope, redirected }: Reason): string[] {
  const moved =
    redirected === undefined || address === envelope
      ? []
      : [
          `It was addressed to ${formatParty(envelope)}; redirected ${formatInstant(redirected.at)} by ${formatHand(redirected)}.`,
        ];
  if (way === undefined) return [...moved, 'No route is known of it.'];
  const to = way.channel === 'local' ? `local, as ${formatParty(way.address)}` : formatWay(way);
  return [
    ...moved,
    `Goes ${to}, by the control files ${safe(way.controls)}${versionWords(way.version)}:`,
    ...way.lines.map(lineWords),
  ];
}

function startWords(reason: Reason): string[] {
  const { started } = reason;
  if (started === undefined) return [];
  const { attempt, at, dueAt, why, askedBy, waitedMs } = started;
  const cause = {
    first: 'the first, due as soon as the letter was in',
    retry: `a retry, due ${formatInstant(dueAt)}`,
    asked: `asked for ${askedBy === undefined ? 'by hand' : `by ${formatHand(askedBy)}`}`,
  }[why];
  return [
    `Attempt ${attempt} began ${formatInstant(at)}: ${cause}.`,
    ...(reason.waitsFor === 'slot' ? [] : waitedWords(waitedMs, reason)),
  ];
}

/** Too many to list are named by their number: `waybill trace` has them all. */
const mostDoubts = 5;

function verdict({ last, tried, attempts, status, message }: Reason): string[] {
  if (last === undefined) {
    return status === 'attempting' || attempts > 0 ? [] : ['It has not been tried yet.'];
  }
  const doubts = tried.filter((each) => each.doubt && each !== last);
  const more = doubts.length - mostDoubts;
  return [
    ...doubts
      .slice(-mostDoubts)
      .map(
        ({ attempt, startedAt, at }) =>
          `Attempt ${attempt} of ${formatInstant(startedAt)} is in doubt since ${formatInstant(at)}: it may have delivered the letter, too.`,
      ),
    ...(more > 0 ? [`${count(more, 'more attempt')} in doubt: waybill trace ${message}`] : []),
    ...attemptWords(last),
  ];
}

function schedule({ dueAt, by, birth, askedBy, arithmetic }: Schedule, now: Instant): string[] {
  const due = `due ${formatInstant(dueAt)} (${formatWhen(dueAt, now)})`;
  if (by === 'first') return [`Born ${formatInstant(birth)}, and due since then.`];
  if (by === 'doubt')
    return [`Born ${formatInstant(birth)}; ${due}, at once, as its last attempt is in doubt.`];
  if (arithmetic === undefined) {
    const who = askedBy === undefined ? '' : `: asked for by ${formatHand(askedBy)}`;
    return [`Born ${formatInstant(birth)}; ${due}${who}.`];
  }
  const { channel, ageSeconds, root, skip, dueAgeSeconds } = arithmetic;
  return [
    `Born ${formatInstant(birth)}; the last attempt began at the age of ${count(ageSeconds, 'second')}.`,
    `  Its square root is ${root}; ${skip} more for a ${channel} retry make ${root + skip}; squared, that is ${count(dueAgeSeconds, 'second')}:`,
    `  ${due}.`,
  ];
}

function lifetime({ seconds, leftSeconds, nextIsLast }: Lifetime): string {
  const left = leftSeconds === 0 ? 'none is left' : `${formatSpan(leftSeconds * 1000)} are left`;
  const last = nextIsLast
    ? '; the next attempt is the last: a deferral then counts as a failure'
    : '';
  return `A letter may wait ${formatSpan(seconds * 1000)} (queuelifetime); ${left}${last}.`;
}

/** An operator's script may have held it any number of times. */
const mostHolds = 5;

function byHand({ held, holds, cancelled }: Reason): string[] {
  const more = holds.length - mostHolds;
  return [
    ...holds
      .slice(-mostHolds)
      .map(
        (hold) =>
          `It was held ${formatInstant(hold.from)} by ${formatHand(hold)}, for ${formatSpan(hold.to - hold.from)}.`,
      ),
    ...(more > 0 ? [`And ${count(more, 'more time')} before that.`] : []),
    ...(held === undefined ? [] : [`Held since ${formatInstant(held.at)} by ${formatHand(held)}.`]),
    ...(cancelled === undefined
      ? []
      : [`Cancelled ${formatInstant(cancelled.at)} by ${formatHand(cancelled)}.`]),
  ];
}

/** A failure is told to whoever sent the letter; a bounce that fails, to the postmaster; beyond that, to nobody. */
function bounce({ bounce: owed, recipient, entry }: Reason): string[] {
  if (owed === undefined) return [];
  const { kind, to, child, discarded, failed, lines } = owed;
  const whose = failed.includes(recipient)
    ? failed.length === 1
      ? 'it failed for good'
      : `it and ${count(failed.length - 1, 'other recipient')} failed for good`
    : `${count(failed.length, 'other recipient')} of the letter failed for good`;
  if (discarded !== undefined) return [`No bounce is sent, though ${whose}: ${safe(discarded)}.`];
  if (child === undefined || to === undefined)
    return [`A bounce to ${formatParty(entry?.returnPath ?? '')} is owed: ${whose}.`];
  const why =
    kind === 'double-bounce'
      ? 'the letter is itself a bounce, so its postmaster is told'
      : 'that is its return path';
  return [
    `A ${kind === 'double-bounce' ? 'double bounce' : 'bounce'} was sent to ${formatParty(to)} (${why}), since ${whose}: letter ${safe(child)}.`,
    ...lines.map(lineWords),
  ];
}

function waiting(reason: Reason, now: Instant): string[] {
  const { waitsFor, schedule: due, attempting, message, end } = reason;
  switch (waitsFor) {
    case 'operator':
      return [`It waits for an operator: waybill release ${message}`];
    case 'clock':
      return [`It waits for the clock: ${formatWhen(due?.dueAt ?? now, now)}.`];
    case 'slot':
      return [
        'It waits for its turn: for a free slot of its channel and its destination.',
        ...slotWords(reason.slots),
      ];
    case 'engine':
      return attempting === undefined
        ? ['It waits for the engine, which is not running: waybill serve']
        : [
            `Attempt ${attempting.attempt} began ${formatInstant(attempting.startedAt)}, and the engine stopped before it ended: it is in doubt, and the next start will say so.`,
          ];
    case 'verdict':
      return attempting === undefined
        ? ['It is being attempted.']
        : [
            `Attempt ${attempting.attempt} is under way since ${formatInstant(attempting.startedAt)}, and over by ${formatInstant(attempting.untilAt)} at the latest.`,
          ];
    case 'bounce':
      return ['Its letter waits for its bounce to be made.'];
    case 'nothing':
      return [
        end.doneAt === undefined
          ? 'It waits for nothing; other recipients of the letter are not done yet.'
          : `Its letter was done ${formatInstant(end.doneAt)}.`,
      ];
  }
}
