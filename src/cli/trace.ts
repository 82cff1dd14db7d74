/** `waybill trace`: one letter's story, oldest first, then the stories of its children, indented. */
import { familyOf, type Member } from '../trace/family.ts';
import { formatEvent } from '../trace/json.ts';
import { storyTeller } from '../trace/story.ts';
import { formatInstant } from '../trace/words.ts';
import { withLog } from './open-log.ts';
import { openOutput, type Output } from './output.ts';
import type { Places } from './places.ts';

export async function trace(
  places: Places,
  id: string,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const output = openOutput();
  await withLog(places, async ({ log, letter }) => {
    for await (const member of familyOf(log, await letter(id))) {
      if (output.gone) break;
      if (member === undefined) console.error('waybill: there are more descendants than are shown');
      else if (json) for (const event of member.events) output.line(formatEvent(event));
      else tell(member, output);
      await output.drained();
    }
  });
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
