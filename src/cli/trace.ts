/** `waybill trace`: one letter's story, oldest first, then the stories of its children, indented. */
import type { MessageId } from '../mail/envelope.ts';
import { familyOf, type Member } from '../trace/family.ts';
import { formatEvent } from '../trace/json.ts';
import { storyTeller } from '../trace/story.ts';
import { formatInstant } from '../trace/words.ts';
import { tellAmbiguity } from './ambiguous.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openWords, type Output } from './output.ts';
import type { Places } from './places.ts';

export async function trace(
  places: Places,
  id: string,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const output = openWords(json);
  await withLog(places, async (opened) => {
    try {
      await tellFamily(opened, await opened.letter(id), output, json);
    } catch (cause) {
      await tellAmbiguity(cause, opened, output, json);
    }
    await output.drained();
  });
}

async function tellFamily(
  { log }: OpenedLog,
  message: MessageId,
  output: Output,
  json: boolean,
): Promise<void> {
  for await (const member of familyOf(log, message)) {
    if (output.gone) break;
    if (member === undefined) console.error('waybill: there are more descendants than are shown');
    else if (json) for (const event of member.events) output.line(formatEvent(event));
    else tell(member, output);
    await output.drained();
  }
}

function tell({ message, depth, events, lost }: Member, output: Output): void {
  const indent = '    '.repeat(depth);
  if (depth > 0) output.line('');
  output.line(`${indent}letter ${message}`);
  if (events.length === 0) output.line(`${indent}  is not in this log`);
  const story = storyTeller();
  for (const event of events) {
    const { at, text, more } = story(event);
    output.line(`${indent}  ${formatInstant(at, 'ms')}  ${text}`);
    for (const line of more) output.line(`${indent}      ${line}`);
  }
  for (const revision of lost)
    output.line(`${indent}  event ${revision} of this letter is damaged`);
}
