/** qmailanalog's zsendmail: letters and attempts in sendmail's manner. */
import { sanitizeForLog } from '../src/mail/sanitize.ts';
import { ddelayOf, seconds, xdelayOf, type Delivery, type Done } from './deliveries.ts';
import { formatSeconds, matchedLines } from './matching-lines.ts';
import { reasonOf } from './reasons.ts';

export const question = matchedLines({
  title: "Letters and attempts in sendmail's manner",
  about: 'a line per attempt with to=, a line per finished letter with from=; delays in seconds',
  letterLine,
  deliveryLine,
});
export const { empty, fold } = question;

const stats = { k: 'Sent', d: 'Failed', z: 'Deferred' } as const;

function deliveryLine(delivery: Delivery): string {
  const { doneAt, qp, recipient, uid, result, text } = delivery;
  const delays = `ddelay=${ddelayOf(delivery).toFixed(3)}, xdelay=${xdelayOf(delivery).toFixed(3)}`;
  const to = sanitizeForLog(recipient);
  return `${formatSeconds(doneAt)} ${qp}: to=${to}, uid=${uid}, ${delays}, stat=${stats[result]} (${reasonOf(text)})`;
}

function letterLine({ doneAt, qp, sender, bytes, birth, ...counts }: Done): string {
  const { successes, failures, deferrals } = counts;
  const from = `from=<${sanitizeForLog(sender)}>, size=${bytes}`;
  const tries = `nrcpts=${successes + failures}, deferrals=${deferrals}`;
  return `${formatSeconds(doneAt)} ${qp}: ${from}, ${tries}, qtime=${seconds(doneAt - birth).toFixed(3)}`;
}
