/** A delivery's report as a verdict: qmail-lspawn's K, Z or D and the text. */
import type { Verdict } from '../../mail/verdict.ts';
import type { Halt } from './halt.ts';
import type { DeliveryReport } from './report.ts';

/** Without a halt the letter is delivered. */
export function toVerdict(report: DeliveryReport, halt?: Halt): Verdict {
  if (halt !== undefined && halt.text !== '') report.addLine(halt.text);
  // Only our own words carry a status; a program's output may say anything.
  const status = halt?.text.match(/ \(#(\d\.\d\.\d)\)$/)?.[1];
  const text = withOwnWords(report.text(), halt?.text ?? '');
  return {
    kind: halt?.kind ?? 'delivered',
    reply: status === undefined ? { text } : { text, status },
  };
}

/** What a program said may be cut before our words; then they come behind it, or nobody would know why. */
function withOwnWords(text: string, words: string): string {
  if (words === '' || text.includes(words)) return text;
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${words}\n`;
}
