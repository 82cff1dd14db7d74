/** An operator's order, checked as the command line checks it, given to the queue, and put into a sentence. */
import { unsendable } from '../mail/address.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';
import type { OperatorRequest } from '../queue/operator.ts';
import { sayDone } from '../trace/hand-words.ts';
import { readLetter } from '../trace/read-letter.ts';
import { foldLetter } from '../trace/reason.ts';
import { safe } from '../trace/words.ts';
import type { Identity } from './guard/gate.ts';
import type { DeskParts } from './ports.ts';

export type ActGiven = {
  readonly why: string;
  readonly to?: string;
  readonly rcpts?: readonly RecipientNo[];
};

export type Order = ActGiven & {
  readonly message: MessageId;
  readonly act: OperatorRequest['act'];
};

/** Throws `refused` for what makes no sense, `not-found` for a letter that is not there. */
export async function actByHand(
  { log, hand }: Pick<DeskParts, 'log' | 'hand'>,
  identity: Identity,
  { message, act, to, rcpts, why }: Order,
): Promise<string> {
  const reason = safe(why, 300);
  if (reason === '') throw refused('say why: the reason is recorded');
  const { state } = foldLetter((await readLetter(log, message)).events);
  const { length } = state.recipients;
  if (length === 0) throw new Trouble('not-found', { tryAgain: false, peer: 'no such letter' });
  if (rcpts?.some((rcpt) => rcpt >= length) === true) throw refused('there is no such recipient');
  if (act === 'redirect') refuseNoAddress(to, rcpts ?? (length === 1 ? [0] : []));
  const one = act === 'redirect' ? { rcpts: rcpts ?? [0] } : {};
  const some = act === 'retry' || act === 'cancel' ? (rcpts === undefined ? {} : { rcpts }) : one;
  const request = {
    ...{ act, message, by: `${identity.who} (desk)`, why: reason },
    ...some,
    ...(act === 'redirect' && to !== undefined ? { to } : {}),
  };
  const events = await hand.act(request);
  return sayDone({ act, message, events, rcpts: request.rcpts, to: request.to }, state);
}

function refuseNoAddress(to: string | undefined, rcpts: readonly RecipientNo[]): void {
  if (rcpts.length !== 1) throw refused('redirect one recipient at a time');
  if (to === undefined || to === '' || to.length > 900 || unsendable(to) || !/.@./s.test(to)) {
    throw refused(`${safe(to ?? '', 80)} is no address to send to`);
  }
}

const refused = (detail: string): Trouble =>
  new Trouble('refused', { tryAgain: false, peer: 'refused', detail });
