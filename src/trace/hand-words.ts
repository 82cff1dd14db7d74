/** What an operator's order came to, or why it came to nothing. */
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import type { OperatorRequest } from '../queue/operator.ts';
import type { QueueState } from '../queue/state.ts';
import { count, formatParty } from './words.ts';

export type Done = {
  readonly act: OperatorRequest['act'];
  readonly message: MessageId;
  /** How many events followed. */
  readonly events: number;
  /** Absent: all. */
  readonly rcpts: readonly RecipientNo[] | undefined;
  readonly to: string | undefined;
};

export function sayDone(done: Done, before: Readonly<QueueState>): string {
  const { message, events, rcpts } = done;
  const touched = [...(rcpts ?? before.recipients.keys())];
  const waiting = touched.filter((rcpt) => before.recipients[rcpt]?.status === 'waiting');
  return `${message}: ${events === 0 ? sayNothing(done, before, touched) : saySomething(done, before, waiting)}`;
}

function saySomething(
  { act, to }: Done,
  before: Readonly<QueueState>,
  waiting: readonly RecipientNo[],
): string {
  const who = count(waiting.length, 'recipient');
  const held = before.held ? ', but the letter is held: release it, too' : '';
  switch (act) {
    case 'retry':
      return `${who} due now${held}`;
    case 'hold':
      return 'held: no attempt is started until it is released';
    case 'release':
      return 'released';
    case 'cancel':
      return `${who} cancelled`;
    case 'redirect':
      return `goes to ${formatParty(to ?? '')} now${held}`;
  }
}

function sayNothing(
  { act }: Done,
  before: Readonly<QueueState>,
  touched: readonly RecipientNo[],
): string {
  if (before.done) return 'nothing to do, the letter is done';
  if (act === 'hold') return 'nothing to do, it is held already';
  if (act === 'release') return 'nothing to do, it is not held';
  const under = touched.some((rcpt) => before.recipients[rcpt]?.status === 'attempting');
  if (under) return 'nothing done: an attempt is under way, and beyond recall';
  return act === 'redirect'
    ? 'nothing to do, it goes there or is done'
    : 'nothing to do, no such recipient waits';
}
