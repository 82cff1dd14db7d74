/** Letters that a local delivery asks for, accepted before its verdict is recorded. */
import { createHash } from 'node:crypto';
import { formatDate } from '../mail/date.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import { deriveMessageId } from '../mail/message-id.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Outcome } from '../mail/verdict.ts';
import type { Spool } from '../spool/ports.ts';
import { bodyTrouble } from './body-trouble.ts';
import { joinBodies } from './child-body.ts';
import type { QueueIntake } from './intake.ts';
import type { AttemptReport, Forward, Order } from './ports.ts';

type Parts = { readonly spool: Spool; readonly intake: QueueIntake };

type Accepted = {
  readonly children: ReadonlyMap<RecipientNo, readonly MessageId[]>;
  readonly outcomes: readonly Outcome[];
};

/** Children first: a stop before the parent's verdict leaves letters too many, never one too few. */
export async function acceptForwards(
  order: Order,
  { outcomes, forwards = [] }: AttemptReport,
  parts: Parts,
): Promise<Accepted> {
  const children = new Map<RecipientNo, MessageId[]>();
  const lost = new Set<RecipientNo>();
  for (const [index, forward] of forwards.entries()) {
    try {
      const child = await acceptForward(order, forward, index, parts);
      children.set(forward.rcpt, [...(children.get(forward.rcpt) ?? []), child]);
    } catch (cause) {
      // Waiting would not bring the body back, and the slot would be gone for ever.
      if (!isTrouble(cause, 'body-missing') && !isTrouble(cause, 'body-damaged')) throw cause;
      lost.add(forward.rcpt);
    }
  }
  if (lost.size === 0) return { children, outcomes };
  const deferred = ({ rcpt }: Outcome) => ({ rcpt, kind: 'deferred' as const, reply: bodyTrouble });
  const kept = outcomes.map((outcome) => (lost.has(outcome.rcpt) ? deferred(outcome) : outcome));
  return { children, outcomes: kept };
}

/** The time of the attempt: made again, the letter must be the same. */
const receivedLine = (id: MessageId, { startedAt }: Order): string =>
  `Received: (waybill invoked for forward) id ${id};\r\n  ${formatDate(startedAt)}\r\n`;

/**
 * The forwarded letter, named after the attempt that made it: a stop between accepting it and
 * recording the parent's verdict makes the same letter again, and it is there already.
 */
async function acceptForward(
  order: Order,
  forward: Forward,
  index: number,
  { spool, intake }: Parts,
): Promise<MessageId> {
  const { message, attempt, body, eightBit, utf8 } = order;
  const name = `forward ${message} ${attempt} ${forward.rcpt} ${index}`;
  const id = deriveMessageId(order.startedAt, createHash('sha256').update(name).digest());
  const { returnPath, recipients, prefix } = forward;
  await intake.accept({
    id,
    envelope: { returnPath, recipients },
    arrival: { protocol: 'forward', eightBit, utf8 },
    body: await joinBodies(spool, id, receivedLine(id, order) + prefix, body),
    parent: { message, why: 'forward' },
  });
  return id;
}
