/** From what a person types to the letter meant: a whole id, `message-…`, or a part that only one letter has. */
import type { MessageId } from '../mail/envelope.ts';
import { parseMessageId } from '../mail/message-id.ts';
import { Trouble } from '../mail/trouble.ts';
import { messageOf } from '../queue/events.ts';
import { safe } from './words.ts';

/** Streams of letters whose id begins or ends with these hex digits, at most `limit`. */
export type FindLetters = (part: string, limit: number) => readonly string[];

/** So many of several are named. */
const mostNamed = 10;

/** Throws `not-found` when no letter, or more than one, answers to it. */
export const findLetter = (text: string, find: FindLetters): MessageId =>
  onlyOne(text, find(partNamed(text), mostNamed + 1));

/** The same where finding takes its time. */
export async function findLetterLater(
  text: string,
  find: (...asked: Parameters<FindLetters>) => Promise<readonly string[]>,
): Promise<MessageId> {
  return onlyOne(text, await find(partNamed(text), mostNamed + 1));
}

/** The part of an id that a person has typed. */
function partNamed(text: string): string {
  const part = (
    parseMessageId(text) ??
    text
      .trim()
      .toLowerCase()
      .replace(/^message-/, '')
  ).trim();
  if (!/^[0-9a-f-]*[0-9a-f][0-9a-f-]*$/.test(part))
    throw notFound(`${safe(text, 80)} is no id of a letter`);
  return part;
}

function onlyOne(text: string, streams: readonly string[]): MessageId {
  const found = streams.map((stream) => messageOf(stream)!);
  if (found.length === 0) throw notFound(`there is no letter ${safe(text, 80)}`);
  if (found.length === 1) return found[0]!;
  const named = found.slice(0, mostNamed).join(', ');
  const more = found.length > mostNamed ? ', …' : '';
  throw notFound(`${safe(text, 80)} is ambiguous: ${named}${more.replace('…', 'and more')}`);
}

const notFound = (detail: string): Trouble =>
  new Trouble('not-found', { tryAgain: false, peer: 'no such letter', detail });

/** `ID/RECIPIENT`: the letter, and the recipient's number or address where one is named. */
export function splitName(text: string): {
  readonly id: string;
  readonly rcpt: string | undefined;
} {
  const slash = text.indexOf('/');
  if (slash === -1) return { id: text, rcpt: undefined };
  return { id: text.slice(0, slash), rcpt: text.slice(slash + 1) };
}
