/** qmailanalog's matchup: a line per finished letter and per attempt, for whoever has reports of their own. */
import { sanitizeForLog } from '../src/mail/sanitize.ts';
import type { Delivery, Done } from './deliveries.ts';
import { formatSeconds, matchedLines } from './matching-lines.ts';
import { reasonOf } from './reasons.ts';

export const question = matchedLines({
  title: 'Finished letters (m) and attempts (d), as matchup prints them',
  about:
    'm birth done bytes successes failures deferrals <sender> qp uid, and ' +
    'd result birth start done bytes <sender> channel.recipient qp uid reason; times in seconds since 1970',
  letterLine,
  deliveryLine,
});
export const { empty, fold } = question;

function letterLine({ birth, doneAt, bytes, sender, qp, uid, ...counts }: Done): string {
  const { successes, failures, deferrals } = counts;
  const times = `${formatSeconds(birth)} ${formatSeconds(doneAt)}`;
  return `m ${times} ${bytes} ${successes} ${failures} ${deferrals} <${sanitizeForLog(sender)}> ${qp} ${uid}`;
}

function deliveryLine({
  result,
  birth,
  startedAt,
  doneAt,
  bytes,
  sender,
  recipient,
  ...rest
}: Delivery): string {
  const times = [birth, startedAt, doneAt].map(formatSeconds).join(' ');
  const parties = `<${sanitizeForLog(sender)}> ${sanitizeForLog(recipient)}`;
  return `d ${result} ${times} ${bytes} ${parties} ${rest.qp} ${rest.uid} ${reasonOf(rest.text)}`;
}
