/** Differences and their sum in sentences. */
import { lineWords } from '../trace/entry-words.ts';
import type { RuleLine } from '../trace/rules-of-the-day.ts';
import { count, formatInstant, formatParty, safe } from '../trace/words.ts';
import type { Difference, Side, Summary } from './differences.ts';

export function formatDifference(difference: Difference): readonly string[] {
  const { was, wouldBe, certain, fromRecord, ofDiffering } = difference;
  const maybe = certain ? '' : ' (perhaps: the record does not say enough to be sure)';
  return [
    head(difference),
    ...sideLines(`was ${safe(was.what, 400)}`, was),
    ...sideLines(`would be ${safe(wouldBe.what, 400)}${maybe}`, wouldBe),
    ...(fromRecord ? ['    if the far side had answered as it did'] : []),
    ...(ofDiffering === undefined
      ? []
      : [
          `    if it had been at all: it comes from letter ${safe(ofDiffering)}, which differs, too`,
        ]),
  ];
}

function head({ kind, message, recipient, address, returnPath, peer, at }: Difference): string {
  const to = address === undefined ? '' : ` to ${formatParty(address)}`;
  const from = returnPath === undefined ? '' : ` from ${formatParty(returnPath)}`;
  const which =
    message === undefined
      ? `refused [${safe(peer ?? '')}]`
      : `${message}${recipient === undefined ? '' : `/${recipient}`}`;
  return `${kind}: ${which} ${formatInstant(at)}${from}${to}`;
}

const sideLines = (text: string, { lines }: Side): string[] => [
  `    ${text}`,
  ...lines.map((line) => `    ${where(line)}`),
];

/** Files of users and aliases do not lie in control/. */
const where = (line: RuleLine): string =>
  line.file.includes('/')
    ? `  ${safe(line.file)}${line.line === undefined ? '' : `:${line.line}`}: ${safe(line.text)}`
    : lineWords(line);

export function formatSummary(summary: Summary): readonly string[] {
  const { letters, recipients, refusals, unrecorded, differing, notes } = summary;
  const { route, owner, schedule, bounce, door } = differing;
  return [
    `${count(letters, 'letter')} to ${count(recipients, 'recipient')} and ${count(refusals, 'refusal')} judged again: ` +
      (differing.letters + differing.refusals === 0
        ? 'nothing differs.'
        : `${count(differing.letters, 'letter')} and ${count(differing.refusals, 'refusal')} differ.`),
    ...told(differing.refusals, 'refused would have been let in'),
    ...told(door, 'let in would have been refused'),
    ...told(route, 'would have gone elsewhere', 'recipient'),
    ...told(owner, "would have been another local user's", 'recipient'),
    ...told(schedule, 'would have been tried, or given up, at another time', 'recipient'),
    ...told(bounce, 'would have told somebody else, or in another name', 'bounce'),
    ...(unrecorded === 0
      ? []
      : [`${count(unrecorded, 'refusal')} more were only counted, and cannot be judged again.`]),
    ...notes.map((note) => `Note: ${note}`),
  ];
}

const told = (n: number, what: string, unit = 'recipient'): string[] =>
  n === 0 ? [] : [`  ${count(n, unit)} ${what}`];
