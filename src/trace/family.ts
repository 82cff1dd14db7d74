/** A letter and what came of it: its bounce, its forwards, theirs. Bounded, since mail can go in circles. */
import type { LogReader, RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { QueueEvent } from '../queue/events.ts';
import { readLetter, type LetterEvents } from './read-letter.ts';

export type Member = LetterEvents & {
  readonly message: MessageId;
  /** 0 for the letter asked for, 1 for its children. */
  readonly depth: number;
};

export type FamilyLimits = { readonly letters: number; readonly depth: number };

/** Parents before children, each letter once; `undefined` at the end says that there are more. */
export async function* familyOf(
  log: Pick<LogReader, 'readStream'>,
  first: MessageId,
  limits: FamilyLimits = { letters: 100, depth: 10 },
): AsyncGenerator<Member | undefined> {
  const seen = new Set<MessageId>([first]);
  const waiting: { message: MessageId; depth: number }[] = [{ message: first, depth: 0 }];
  let told = 0;
  let cut = false;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (told >= limits.letters) {
      cut = true;
      break;
    }
    const { message, depth } = next;
    const letter = await readLetter(log, message);
    told += 1;
    yield { ...letter, message, depth };
    const children = childrenOf(letter.events).filter((child) => !seen.has(child));
    if (depth >= limits.depth) {
      cut ||= children.length > 0;
      continue;
    }
    for (const child of children.reverse()) {
      seen.add(child);
      waiting.push({ message: child, depth: depth + 1 });
    }
  }
  if (cut) yield undefined;
}

/** In the order in which they came to be. */
export function childrenOf(events: readonly RecordedEvent[]): MessageId[] {
  const children = new Set<MessageId>();
  for (const event of events as readonly (RecordedEvent & QueueEvent)[]) {
    if (event.type === 'BounceQueued') children.add(event.data.child);
    if (event.type !== 'RecipientDelivered') continue;
    for (const child of event.data.children ?? []) children.add(child);
  }
  return [...children];
}
