/** How a letter came in and why it was let in, in sentences; and control lines as a person finds them. */
import type { Entry, RulesVersion } from './reason-entry.ts';
import type { Reason } from './reason.ts';
import type { RuleLine } from './rules-of-the-day.ts';
import { formatInstant, safe } from './words.ts';

/** `  control/locals:2: here.test`. */
export const lineWords = ({ file, line, text }: RuleLine): string =>
  file === 'default'
    ? `  ${text}`
    : `  control/${safe(file)}${line === undefined ? '' : `:${line}`}: ${safe(text)}`;

/** Which event brought the version into force. */
export function versionWords(version: RulesVersion | undefined): string {
  if (version?.loadedAt === undefined) return '';
  const { loadedAt, position, stream } = version;
  const where =
    position === undefined || stream === undefined ? '' : ` (event ${position} of ${safe(stream)})`;
  return `, loaded ${formatInstant(loadedAt)}${where}`;
}

const parents = {
  bounce: 'the bounce of',
  'double-bounce': 'the bounce of a bounce,',
  forward: 'forwarded by a local delivery from',
} as const;

export function entryWords({ entry }: Reason): string[] {
  if (entry === undefined) return [];
  const { parent, acceptedAt } = entry;
  const at = formatInstant(acceptedAt);
  if (parent !== undefined)
    return [`Made here ${at}: ${parents[parent.why]} letter ${safe(parent.message)}.`];
  if (entry.protocol === 'local') {
    const says = entry.user === undefined ? '' : `, who calls itself ${safe(entry.user, 80)}`;
    const way =
      entry.droppedAt === undefined
        ? ''
        : `, in the drop box since ${formatInstant(entry.droppedAt)}`;
    return [
      `Handed in ${at} by a program of this machine: uid ${entry.uid ?? 'unknown'}${says}${way}.`,
    ];
  }
  const door = entry.door === undefined ? '' : ` by the door ${safe(entry.door, 40)}`;
  const peer = entry.peer === undefined ? '' : ` from [${safe(entry.peer)}]`;
  return [
    `Came in ${at}${door}${peer} (${safe(entry.protocol, 20)})${versionOfEntry(entry)}.`,
    ...clientWords(entry),
    ...admittedWords(entry),
  ];
}

const versionOfEntry = ({ controls }: Entry): string =>
  controls === undefined ? '' : `, under the control files ${safe(controls.digest)}`;

function clientWords({ client, peer }: Entry): string[] {
  if (peer === undefined) return [];
  if (client === undefined) return [];
  const right = client.relay === undefined ? 'may come in' : 'may send to anybody (RELAYCLIENT)';
  return [`Its client ${right}:`, lineWords(client)];
}

function admittedWords({ admitted, auth = '' }: Entry): string[] {
  switch (admitted?.because) {
    case undefined:
    case 'relay':
      return [];
    case 'auth':
      return [`Its client had proved to be ${safe(auth, 80)}, and may send to anybody.`];
    case 'line':
      return ['The recipient was let in by:', ...admitted.lines.map(lineWords)];
    case 'no-domain':
      return ['The recipient has no domain, so it is ours (envnoathost), and was let in.'];
    case 'unknown':
      return [
        'No line of the control files that are on record let the recipient in: morercpthosts.cdb may have, or a version that was in force a moment before.',
      ];
  }
}
