/** A refusal at a door in sentences. */
import { lineWords, versionWords } from './entry-words.ts';
import type { Refusal, RefusedBecause } from './refusals.ts';
import { formatInstant, formatParty, safe } from './words.ts';

const because: { readonly [B in RefusedBecause]: string } = {
  'client-denied': 'its address may not connect (tcp.smtp)',
  'bad-return-path': 'the return path is in badmailfrom',
  'not-in-rcpthosts':
    'no line of rcpthosts or morercpthosts has that domain, and the client may not relay (tcp.smtp)',
  'nobody-home':
    'nobody here has that address: no line of users/assign, and no .qmail file of that name',
  'too-large': 'the letter was larger than the limit',
  looping: 'the letter had gone through too many hosts: it was going in circles',
  crowded: 'the door was full, or that client had too many connections',
  injection:
    'commands came in clear behind STARTTLS, where anybody in between can put them: they were forgotten, as they must be',
  trouble: 'of trouble that passes: the client was asked to try again',
  protocol: 'the client broke the protocol, or asked for what is not offered',
};

export function formatRefusal(refusal: Refusal): readonly string[] {
  const { at, door, peer, helo, returnPath, recipient, reply, lines, client, controls } = refusal;
  const from = returnPath === undefined ? '' : ` a letter from ${formatParty(returnPath)}`;
  const to = recipient === undefined ? '' : ` to ${formatParty(recipient)}`;
  const named = helo === undefined ? '' : `, which called itself ${safe(helo, 80)},`;
  const isListed = client !== undefined && !lines.includes(client);
  return [
    `${formatInstant(at)} the door ${safe(door, 40)} refused [${safe(peer)}]${named}${from}${to}:`,
    `  ${safe(reply, 600)}`,
    `  because ${because[refusal.because]}.`,
    ...lines.map(lineWords),
    ...(isListed ? [`  The line of its client:`, lineWords(client)] : []),
    ...(controls === undefined
      ? []
      : [`  In force were the control files ${safe(controls.digest)}${versionWords(controls)}.`]),
  ];
}
