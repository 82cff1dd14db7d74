/** What an attempt waited for, in sentences: slots, shares, a destination in trouble, the engine itself. */
import type { Reason } from './reason.ts';
import type { SlotWait } from './slot-wait.ts';
import { formatInstant, formatSpan, safe } from './words.ts';

/** Less is no wait that anybody would ask about. */
const worthMs = 1_000;

/** Of the wait before the last attempt. */
export function waitedWords(waitedMs: number, { slots }: Reason): string[] {
  if (waitedMs < worthMs) return [];
  return [`  That is ${formatSpan(waitedMs)} after it was due.`, ...slotWords(slots)];
}

export function slotWords(slots: SlotWait | undefined): string[] {
  if (slots === undefined) return [];
  const { channel, lane, slots: all, mostInUse, mostInLane, blocked, exact } = slots;
  const least = exact ? '' : 'at least ';
  const file = `concurrency${channel}`;
  const of = (ms: number, what: string): string[] =>
    ms < worthMs / 2 ? [] : [`  For ${least}${formatSpan(ms)} ${what}.`];
  const own = mostInLane === 0 ? '' : `, up to ${mostInLane} of them by its own destination`;
  const full =
    all === 0
      ? `the channel was on hold: ${file} is 0`
      : `${all === 1 ? `the only ${channel} slot was` : `all ${all} ${channel} slots were`} taken (${file})${own}`;
  const told = [
    ...of(blocked.engineAway, 'the engine was not running yet'),
    ...of(blocked.channelFull, full),
    ...of(
      blocked.laneTroubled,
      `only one attempt at a time went to ${safe(lane)}, where the last one had reached nobody`,
    ),
    ...of(blocked.laneShare, `its destination had its share of the slots: ${pacesOf(slots)}`),
  ];
  if (told.length > 0) return [...told, ...holderWords(slots)];
  return [
    `  Slots were free as far as the log tells: at most ${mostInUse} of ${all} were in use${exact ? '' : ' in the part that was looked at'}.`,
  ];
}

/** Whoever had the slots when it fell due. */
function holderWords({ holders, mostInUse }: SlotWait): string[] {
  if (holders.length === 0) return [];
  const named = holders.map(
    ({ message, lane, startedAt }) =>
      `    letter ${safe(message)} to ${safe(lane)}, begun ${formatInstant(startedAt)}`,
  );
  const more = mostInUse > holders.length ? ', the first of them' : '';
  return [`  Under way when it fell due${more}:`, ...named];
}

function pacesOf({ lane, mostInLane, slots, pace }: SlotWait): string {
  const slow =
    pace === 'slow'
      ? '; its attempts take longer than a second, so it gets half as many as are free'
      : '';
  return `${mostInLane} of ${slots} for ${safe(lane)}${slow}`;
}
