/** The letters that an ambiguous name may mean, with what tells them apart: when, from whom, for how many, how large. */
import type { LogReader } from '../log/ports.ts';
import type { Address, MessageId } from '../mail/envelope.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Instant } from '../platform/clock.ts';
import { messageStream, type QueueEvent } from '../queue/events.ts';
import type { AmbiguousName } from './letter-name.ts';
import { count, formatInstant, formatParty } from './words.ts';

export type Candidate = {
  readonly message: MessageId;
  /** Absent where the beginning of its stream cannot be read. */
  readonly accepted?: {
    readonly at: Instant;
    readonly returnPath: Address;
    readonly recipients: number;
    readonly bytes: number;
  };
};

export async function candidatesOf(
  { named }: AmbiguousName,
  log: Pick<LogReader, 'readStream'>,
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const message of named) candidates.push(await candidate(message, log));
  return candidates;
}

async function candidate(
  message: MessageId,
  log: Pick<LogReader, 'readStream'>,
): Promise<Candidate> {
  try {
    const [first] = await log.readStream(messageStream(message), { limit: 1 });
    const event = first as QueueEvent | undefined;
    if (event?.type !== 'MessageAccepted') return { message };
    const { envelope, body } = event.data;
    const { returnPath, recipients } = envelope;
    const facts = { returnPath, recipients: recipients.length, bytes: body.bytes };
    return { message, accepted: { at: event.at, ...facts } };
  } catch (cause) {
    if (!isTrouble(cause, 'log-damaged')) throw cause;
    return { message };
  }
}

/** A line each, then how many others there are. */
export function candidateLines(
  candidates: readonly Candidate[],
  { others, orMore }: AmbiguousName,
): readonly string[] {
  const lines = candidates.map(({ message, accepted }) => {
    if (accepted === undefined) return message;
    const { at, returnPath, recipients, bytes } = accepted;
    const facts = `${count(recipients, 'recipient')}, ${count(bytes, 'byte')}`;
    return `${message}  ${formatInstant(at, 'ms')}  from ${formatParty(returnPath)}, ${facts}`;
  });
  if (others === 0) return lines;
  return [...lines, `and ${orMore ? 'more than ' : ''}${count(others, 'other')}`];
}

export const candidatesJson = (
  candidates: readonly Candidate[],
  { message: error, others, orMore }: AmbiguousName,
): object => ({
  error,
  candidates: candidates.map(({ message, accepted }) => {
    if (accepted === undefined) return { message };
    const { at, ...facts } = accepted;
    return { message, acceptedAt: formatInstant(at, 'ms'), ...facts };
  }),
  ...{ others, ...(orMore ? { orMore } : {}) },
});
