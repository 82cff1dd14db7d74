/** One attempt and what came of it, in sentences: how the far side was found, the whole reply, what dot-qmail lines did. */
import type { DnsAnswered, Reached } from '../mail/reached.ts';
import type { LastVerdict } from './reason-facts.ts';
import { count, formatInstant, formatReply, formatSpan, safe } from './words.ts';

/** A report has up to 5,000 characters, and is shown whole. */
const wholeReply = 6_000;

export function attemptWords(tried: LastVerdict): string[] {
  const { attempt, at, startedAt, kind, expired, doubt, reply, reached, children = [] } = tried;
  const old = expired ? ', since the letter had been too long in the queue' : '';
  const tls = reply.tls === undefined ? '' : ` Spoken under ${safe(reply.tls.protocol, 20)}.`;
  const said = formatReply(reply, wholeReply);
  return [
    `Attempt ${attempt} ended ${formatInstant(at)} after ${formatSpan(at - startedAt)}: ${kind}${old}.`,
    ...(doubt ? ['  It is in doubt: the far side may have taken the letter.'] : []),
    ...(reached === undefined ? [] : reachedWords(reached)),
    ...(said === '' ? [] : [`  ${said}${tls}`]),
    ...lineWords(tried),
    ...children.map((child) => `  Forwarded as letter ${safe(child)}.`),
  ];
}

function reachedWords({ open, dns = [], inVain = [], passedBy = [] }: Reached): string[] {
  return [
    ...(open === true
      ? ['  Over a connection that an earlier letter had opened: DNS was not asked again.']
      : []),
    ...dns.map(answerWords),
    ...inVain.map((tried) => `  Tried in vain: ${safe(tried)}.`),
    ...passedBy.map(
      ({ address, untilAt }) =>
        `  Not tried: ${safe(address)}, which had not answered lately; left alone until ${formatInstant(untilAt)} (see qmail-tcpto).`,
    ),
  ];
}

function answerWords({ asked, name, found, more }: DnsAnswered): string {
  const what =
    asked === 'MX' ? `the mail exchangers of ${safe(name)}` : `addresses of ${safe(name)}`;
  if (found === undefined) return `  DNS did not answer for ${what}.`;
  if (found.length === 0) return `  DNS knows none: ${what}.`;
  const rest = more === undefined ? '' : ` and ${more} more`;
  return `  DNS, ${what}: ${safe(found.join(', '), 1_500)}${rest}.`;
}

function lineWords({ lines }: LastVerdict): string[] {
  if (lines === undefined) return [];
  const { from, by, done, more } = lines;
  return [
    ...(by === undefined ? [] : [`  Its user was found by ${safe(by, 200)}.`]),
    ...done.map(({ line, kind, what, came }) => {
      const end = came === undefined ? '' : `: ${safe(came, 200)}`;
      return `  ${safe(from, 80)} line ${line}: ${kind} ${safe(what, 200)}${end}`;
    }),
    ...(more === undefined ? [] : [`  and ${count(more, 'line')} more`]),
  ];
}
