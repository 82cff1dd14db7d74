/** A reason in sentences. */
import type { Instant } from '../platform/clock.ts';
import type { Lifetime, Reason, Schedule } from './reason.ts';
import { formatWay } from './story.ts';
import {
  count,
  formatInstant,
  formatParty,
  formatReply,
  formatSpan,
  formatWhen,
  safe,
} from './words.ts';

export function formatReason(reason: Reason, now: Instant): readonly string[] {
  return [
    ...route(reason),
    ...verdict(reason),
    ...(reason.schedule === undefined ? [] : schedule(reason.schedule, now)),
    ...(reason.lifetime === undefined ? [] : [lifetime(reason.lifetime)]),
    ...byHand(reason),
    ...waiting(reason, now),
  ];
}

function route({ route: way }: Reason): string[] {
  if (way === undefined) return ['No route is known of it.'];
  const to = way.channel === 'local' ? `local, as ${formatParty(way.address)}` : formatWay(way);
  const loaded = way.loadedAt === undefined ? '' : `, first loaded ${formatInstant(way.loadedAt)}`;
  return [
    `Goes ${to}, by the control files ${safe(way.controls)}${loaded}:`,
    ...way.lines.map(({ file, line, text }) =>
      file === 'default'
        ? `  ${text}`
        : `  control/${safe(file)}${line === undefined ? '' : `:${line}`}: ${safe(text)}`,
    ),
  ];
}

function verdict({ last, attempts, status }: Reason): string[] {
  if (last === undefined) {
    return status === 'attempting' || attempts > 0 ? [] : ['It has not been tried yet.'];
  }
  const took = formatSpan(last.at - last.startedAt);
  const expired = last.expired ? ', since the letter had been too long in the queue' : '';
  return [
    `Attempt ${last.attempt} ended ${formatInstant(last.at)} after ${took}: ${last.kind}${expired}.`,
    ...(last.doubt ? ['  It is in doubt: the far side may have taken the letter.'] : []),
    `  ${formatReply(last.reply)}`,
  ];
}

function schedule({ dueAt, by, birth, askedBy, arithmetic }: Schedule, now: Instant): string[] {
  const due = `due ${formatInstant(dueAt)} (${formatWhen(dueAt, now)})`;
  if (by === 'first') return [`Born ${formatInstant(birth)}, and due since then.`];
  if (by === 'doubt')
    return [`Born ${formatInstant(birth)}; ${due}, at once, as its last attempt is in doubt.`];
  if (arithmetic === undefined) {
    const who = askedBy === undefined ? '' : `: asked for by ${hand(askedBy)}`;
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

function byHand({ held, cancelled }: Reason): string[] {
  return [
    ...(held === undefined ? [] : [`Held since ${formatInstant(held.at)} by ${hand(held)}.`]),
    ...(cancelled === undefined
      ? []
      : [`Cancelled ${formatInstant(cancelled.at)} by ${hand(cancelled)}.`]),
  ];
}

const hand = ({ by, why }: { readonly by: string; readonly why: string }): string =>
  `${safe(by, 80)}${why === '' ? '' : ` (${safe(why)})`}`;

function waiting(
  { waitsFor, schedule: due, attempting, message, end }: Reason,
  now: Instant,
): string[] {
  switch (waitsFor) {
    case 'operator':
      return [`It waits for an operator: waybill release ${message}`];
    case 'clock':
      return [`It waits for the clock: ${formatWhen(due?.dueAt ?? now, now)}.`];
    case 'slot':
      return ['It waits for its turn: for a free slot of its channel and its destination.'];
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
        ...(end.bounce === undefined ? [] : [`The bounce is letter ${safe(end.bounce)}.`]),
        end.doneAt === undefined
          ? 'It waits for nothing; other recipients of the letter are not done yet.'
          : `Its letter was done ${formatInstant(end.doneAt)}.`,
      ];
  }
}
