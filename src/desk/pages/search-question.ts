/** From the fields of the search page to a question, and its answer. */
import type { Context } from 'hono';
import { parseMessageId } from '../../mail/message-id.ts';
import type { Instant } from '../../platform/clock.ts';
import { parseInstant } from '../../trace/parse-instant.ts';
import { searchStatuses, type Question, type SearchStatus } from '../../trace/search.ts';
import type { SearchPage } from '../../views/ports.ts';
import type { DeskParts } from '../ports.ts';
import { searchFields, type SearchTexts } from './search-page.ts';

const foundLetters = 50;

export const textsOf = ({ req }: Pick<Context, 'req'>): SearchTexts =>
  Object.fromEntries(
    searchFields.map((name) => [name, (req.query(name) ?? '').trim().slice(0, 500)]),
  ) as SearchTexts;

export type Searched = { question: Question; page: SearchPage; trouble?: string };

/** Half-typed times are no mistake yet worth an empty page: what cannot be understood is said, and left out. */
export async function search(
  { views, clock }: Pick<DeskParts, 'views' | 'clock'>,
  texts: SearchTexts,
  after: string | undefined,
): Promise<Searched> {
  const { question, trouble } = toQuestion(texts, clock.now());
  const asked = { ...question, limit: foundLetters, ...(after === undefined ? {} : { after }) };
  const found = await views.search(asked);
  return { question, page: found, ...(trouble === undefined ? {} : { trouble }) };
}

function toQuestion(texts: SearchTexts, now: Instant): { question: Question; trouble?: string } {
  const question: Record<string, unknown> = {};
  let trouble: string | undefined;
  for (const name of searchFields) {
    const text = texts[name];
    if (text === '') continue;
    if (name === 'since' || name === 'until') {
      const at = parseInstant(text, now);
      if (at === undefined)
        trouble = `“${name}” is no time yet: try -2h, yesterday, 2026-11-21 06:00.`;
      else question[name] = at;
    } else if (name === 'status') {
      if (searchStatuses.includes(text as SearchStatus)) question[name] = text;
      else trouble = `There is no state “${text}”.`;
    } else if (name === 'parent') {
      const parent = parseMessageId(text);
      if (parent === undefined) trouble = '“Comes from letter” needs a whole id.';
      else question[name] = parent;
    } else if (name === 'messageId') question[name] = text.replace(/^<|>$/g, '');
    else question[name] = name === 'id' ? text.replace(/^message-/i, '') : text;
  }
  return { question, ...(trouble === undefined ? {} : { trouble }) };
}
