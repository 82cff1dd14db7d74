/** `waybill why`: the decision behind the present state of a letter's recipients. */
import type { RecipientNo } from '../mail/envelope.ts';
import { findRecipients } from '../trace/find-recipients.ts';
import { toAsciiJson } from '../trace/json.ts';
import { splitName } from '../trace/letter-name.ts';
import { readLetter } from '../trace/read-letter.ts';
import { formatReason } from '../trace/reason-words.ts';
import { foldLetter, reasonOf, type LetterState, type Reason } from '../trace/reason.ts';
import { formatInstant, formatParty } from '../trace/words.ts';
import { engineRuns } from './engine-runs.ts';
import { withLog } from './open-log.ts';
import { openOutput } from './output.ts';
import type { Places } from './places.ts';

/** So many recipients are told of when none is named. */
const mostTold = 100;

export async function why(
  places: Places,
  name: string,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const output = openOutput();
  await withLog(places.data, async (opened) => {
    const { id, rcpt } = splitName(name);
    const message = opened.letter(id);
    const { events } = await readLetter(opened.log, message);
    const letter = foldLetter(events);
    const rcpts =
      rcpt === undefined
        ? mostInteresting(letter)
        : findRecipients(rcpt, letter.state, letter.envelope);
    const now = Date.now();
    const situation = {
      ...{ message, events, now },
      history: await opened.nodeHistory(),
      engineRuns: await engineRuns(opened.files.directory),
    };
    if (letter.state.recipients.length === 0 && !json)
      output.line(`${message} is to nobody, which is legal: done at once.`);
    for (const each of rcpts) {
      const reason = reasonOf(each, situation, letter.state);
      if (json) output.line(toAsciiJson(toJson(reason, formatReason(reason, now))));
      else {
        output.line(`${message}/${each} to ${formatParty(reason.address)}: ${reason.status}`);
        for (const line of formatReason(reason, now)) output.line(`  ${line}`);
      }
    }
    await output.drained();
    const more = letter.state.recipients.length - rcpts.length;
    if (rcpt === undefined && more > 0)
      console.error(`waybill: ${more} more recipients: name one, ID/RECIPIENT`);
  });
}

/** Those that still wait come first. */
function mostInteresting({ state }: LetterState): RecipientNo[] {
  const all = [...state.recipients.keys()];
  const isOpen = (rcpt: RecipientNo) =>
    ['waiting', 'attempting'].includes(state.recipients[rcpt]!.status);
  if (all.length <= mostTold) return all;
  return [...all.filter(isOpen), ...all.filter((rcpt) => !isOpen(rcpt))].slice(0, mostTold);
}

/** Instants in ISO 8601, and the sentences besides. */
function toJson(reason: Reason, sentences: readonly string[]): unknown {
  const plain = JSON.parse(JSON.stringify(reason), (key, value: unknown) =>
    typeof value === 'number' && (/At$/.test(key) || key === 'at' || key === 'birth')
      ? formatInstant(value, 'ms')
      : value,
  ) as object;
  return { ...plain, sentences };
}
