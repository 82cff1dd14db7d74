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

/** So many are counted, unless whoever finds them has too much work with it. */
const mostCounted = 1_000;

/** Several letters answer to what a person has typed. */
export class AmbiguousName extends Trouble {
  /** The first few. */
  readonly named: readonly MessageId[];
  readonly others: number;
  /** There are more than that: not all were counted. */
  readonly orMore: boolean;

  constructor(text: string, found: readonly MessageId[], orMore: boolean) {
    const named = found.slice(0, mostNamed);
    const others = found.length - named.length;
    const many = `${orMore ? 'more than ' : ''}${found.length} letters`;
    super('not-found', {
      ...{ tryAgain: false, peer: 'no such letter' },
      detail: `${safe(text, 80)} is ambiguous: ${many} answer to it`,
    });
    this.named = named;
    this.others = others;
    this.orMore = orMore;
  }
}

/** Throws `not-found` when no letter, and `AmbiguousName` when more than one answers to it. */
export const findLetter = (text: string, find: FindLetters): MessageId =>
  onlyOne(text, find(partNamed(text), mostCounted + 1), mostCounted);

/** The same where finding takes its time. */
export async function findLetterLater(
  text: string,
  find: (...asked: Parameters<FindLetters>) => Promise<readonly string[]>,
  most = mostCounted,
): Promise<MessageId> {
  return onlyOne(text, await find(partNamed(text), most + 1), most);
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

function onlyOne(text: string, streams: readonly string[], most: number): MessageId {
  const found = streams.map((stream) => messageOf(stream)!);
  if (found.length === 0) throw notFound(`there is no letter ${safe(text, 80)}`);
  if (found.length === 1) return found[0]!;
  throw new AmbiguousName(text, found.slice(0, most), found.length > most);
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
