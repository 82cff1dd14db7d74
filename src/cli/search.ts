/** `waybill search`: letters that match, told as soon as they are done, those that are not at the end. */
import { parseMessageId } from '../mail/message-id.ts';
import { toAsciiJson } from '../trace/json.ts';
import { pagesOf, positionBefore } from '../trace/pages.ts';
import {
  fold,
  matchesRecipient,
  rest,
  searching,
  statusOf,
  type Found,
  type Question,
} from '../trace/search.ts';
import { formatInstant, formatParty, safe } from '../trace/words.ts';
import { giveWay, shareOfReading } from './giving-way.ts';
import { withLog } from './open-log.ts';
import { openOutput } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';

export type SearchOptions = Question & {
  readonly limit?: number;
  readonly json?: boolean;
  readonly urgent?: boolean;
};

export async function search(places: Places, options: SearchOptions): Promise<void> {
  const { limit = Infinity, json = false, urgent = false, ...asked } = options;
  const way = giveWay(urgent ? 1 : shareOfReading);
  const output = openOutput();
  const progress = openProgress('searching');
  await withLog(places.data, async ({ log, letter }) => {
    const question = {
      ...asked,
      ...(asked.parent === undefined ? {} : { parent: letter(asked.parent) }),
      ...(asked.id === undefined
        ? {}
        : { id: parseMessageId(asked.id) ?? asked.id.trim().replace(/^message-/i, '') }),
    };
    const state = searching(question);
    let told = 0;
    const enough = () => told >= limit || output.gone;
    const tell = (found: Found): void => {
      if (enough()) return;
      told += 1;
      for (const line of json ? [toJson(found)] : toLines(found, question)) output.line(line);
    };
    const after = asked.since === undefined ? 0 : await positionBefore(log, asked.since);
    const onProgress = (position: number, upTo: number) => progress.tell(position, upTo);
    for await (const page of pagesOf(log, { after, onProgress, rest: way.rest })) {
      for (const event of page) {
        const found = fold(state, event);
        if (found !== undefined) tell(found);
      }
      await output.drained();
      if (enough() || isOver(question, page.at(-1)?.at, state.open.size)) break;
    }
    progress.end();
    for (const found of rest(state)) tell(found);
    await output.drained();
  });
}

/** Past the last letter that can match, with an hour for clocks that were set back, and none of those before open. */
const isOver = ({ until }: Question, at: number | undefined, open: number): boolean =>
  until !== undefined && at !== undefined && at > until + 3_600_000 && open === 0;

const toJson = (found: Found): string =>
  toAsciiJson({
    message: found.message,
    acceptedAt: formatInstant(found.at, 'ms'),
    status: statusOf(found),
    returnPath: found.returnPath,
    bytes: found.bytes,
    ...(found.parent === undefined ? {} : { parent: found.parent }),
    done: found.done,
    recipients: found.recipients.map(({ address, formerly, status, attempts, reply }) => ({
      ...{ address, status, attempts },
      ...(formerly.length === 0 ? {} : { formerly }),
      ...(reply === undefined ? {} : { reply }),
    })),
  });

/** The letter, and the recipient that was asked for with what was said last. */
function toLines(found: Found, question: Question): string[] {
  const { message, at, returnPath, recipients } = found;
  const shown = recipients.find((recipient) => matchesRecipient(found, recipient, question));
  const others = recipients.length - 1;
  const to = shown === undefined ? 'nobody' : formatParty(shown.address);
  const more = others > 0 ? ` and ${others} more` : '';
  const head = `${message}  ${formatInstant(at)}  ${statusOf(found).padEnd(9)}  ${formatParty(returnPath)} to ${to}${more}`;
  const asksForReply = question.reply !== undefined || question.host !== undefined;
  const isNews = asksForReply || (shown !== undefined && shown.status !== 'delivered');
  return shown?.reply === undefined || !isNews ? [head] : [head, `    ${safe(shown.reply)}`];
}
