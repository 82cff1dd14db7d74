/**
 * `waybill search`: letters that match, the youngest first. Asks the views where there are any, and the log for
 * what the views lack; else walks over the log from its end.
 */
import { messageStream } from '../queue/events.ts';
import { parseMessageId } from '../mail/message-id.ts';
import { searchBack } from '../trace/search-back.ts';
import { matchesRecipient, statusOf, type Found, type Question } from '../trace/search.ts';
import { toAsciiJson } from '../trace/json.ts';
import { formatInstant, formatParty, safe } from '../trace/words.ts';
import { hasViews, openViews } from '../views/open-views.ts';
import { giveWay, shareOfReading, type GivingWay } from './giving-way.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openWords, type Output } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';

export type SearchOptions = Question & {
  readonly limit?: number;
  /** A letter: those accepted before it. */
  readonly before?: string;
  /** As the command line calls the question's bytes. */
  readonly minSize?: number;
  readonly maxSize?: number;
  /** Default: when there are any. */
  readonly views?: boolean;
  readonly json?: boolean;
  readonly urgent?: boolean;
};

type Search = {
  readonly opened: OpenedLog;
  readonly question: Question;
  readonly limit: number;
  /** Letters accepted before this position. */
  readonly before: number | undefined;
  readonly json: boolean;
  readonly way: GivingWay;
  readonly output: Output;
};

export async function search(places: Places, options: SearchOptions): Promise<void> {
  const { limit = Infinity, json = false, urgent = false, views = true, ...asked } = options;
  const way = giveWay(urgent ? 1 : shareOfReading);
  const output = openWords(json);
  await withLog(places, async (opened) => {
    const { before: beforeLetter, ...question } = await understood(asked, opened);
    const before = beforeLetter === undefined ? undefined : await placeOf(opened, beforeLetter);
    const all = { opened, question, limit, before, json, way, output };
    const { log, files } = opened;
    if (views && (await hasViews({ log, directory: files.views }))) await searchViews(all);
    else await searchLog(all);
    await output.drained();
  });
}

type Asked = Pick<SearchOptions, keyof Question | 'before' | 'minSize' | 'maxSize'>;

async function understood(asked: Asked, { letter }: OpenedLog): Promise<Asked> {
  const { parent, id, before, minSize, maxSize, ...others } = asked;
  const part = id?.trim().replace(/^message-/i, '');
  return {
    ...others,
    ...(minSize === undefined ? {} : { minBytes: minSize }),
    ...(maxSize === undefined ? {} : { maxBytes: maxSize }),
    ...(parent === undefined ? {} : { parent: await letter(parent) }),
    ...(before === undefined ? {} : { before: await letter(before) }),
    ...(part === undefined ? {} : { id: parseMessageId(part) ?? part }),
  };
}

async function placeOf({ log }: OpenedLog, letter: string): Promise<number | undefined> {
  const [first] = await log.readStream(messageStream(letter), { limit: 1 });
  return first?.position;
}

/** Letters of one page: the first lines come at once, however many follow. */
const pageLetters = 200;

async function searchViews(asked: Search): Promise<void> {
  const { opened, question, limit, before, json, way, output } = asked;
  const progress = openProgress('reading what the views lack');
  const views = openViews({
    ...{ log: opened.log, directory: opened.files.views, rest: way.rest },
    onProgress: (done, of) => progress.tell(done, of, opened.unit),
  });
  try {
    const { lacksFrom } = await views.status();
    let after = before === undefined ? undefined : String(before);
    for (let told = 0; told < limit && !output.gone;) {
      const wanted = Math.min(pageLetters, limit - told);
      const { letters, next } = await views.search({
        ...{ ...question, limit: wanted },
        ...(after === undefined ? {} : { after }),
      });
      progress.end();
      tell(letters, asked);
      await output.drained();
      if (next === undefined) break;
      told += letters.length;
      after = next;
    }
    if (json || lacksFrom === undefined) return;
    const since = formatInstant(lacksFrom);
    console.error(`The views lack what happened since ${since}; that was read from the log.`);
  } finally {
    views.close();
  }
}

async function searchLog(asked: Search): Promise<void> {
  const { opened, question, limit, before, way, output } = asked;
  const progress = openProgress('searching');
  const onProgress = (done: number, of: number) => progress.tell(done, of, opened.unit);
  let told = 0;
  for await (const page of searchBack(opened.log, question, {
    ...{ before, onProgress, rest: way.rest },
  })) {
    const letters = page.slice(0, limit - told);
    if (letters.length > 0) progress.end();
    tell(letters, asked);
    told += letters.length;
    await output.drained();
    if (told >= limit || output.gone) break;
  }
  progress.end();
}

function tell(letters: readonly Found[], { question, json, output }: Search): void {
  for (const found of letters) {
    for (const line of json ? [toJson(found)] : toLines(found, question)) output.line(line);
  }
}

const toJson = (found: Found): string =>
  toAsciiJson({
    message: found.message,
    acceptedAt: formatInstant(found.at, 'ms'),
    status: statusOf(found),
    returnPath: found.returnPath,
    bytes: found.bytes,
    ...(found.messageId === undefined ? {} : { messageId: found.messageId }),
    ...(found.parent === undefined ? {} : { parent: found.parent }),
    done: found.done,
    recipients: found.recipients.map(({ address, formerly, status, attempts, reply, doubt }) => ({
      ...{ address, status, attempts },
      ...(doubt ? { doubt } : {}),
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
