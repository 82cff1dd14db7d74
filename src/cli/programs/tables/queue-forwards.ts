/** One letter on to all who are to have it: the recipient's Delivered-To line, then the message as it came. */
import { toText } from '../lib/bytes.ts';
import { never, type Environment } from '../lib/program.ts';
import { openQueueLetter, type QueueLetter } from '../lib/queue-letter.ts';
import type { Message } from './message.ts';
import type { QueueOutcome } from '../../../ingress/inject/queue-exit.ts';

/** Addresses are byte strings; Delivered-To is as the delivery made it, with its line end. */
export type Forwards = {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly deliveredTo: string;
  readonly message: Message;
};

export type Queued = { readonly outcome: QueueOutcome; readonly pid: number };

/** Takes the program's last look at the letter: the way to the queue may change the working directory. */
export async function queueForwards(forwards: Forwards, env: Environment): Promise<Queued> {
  const envelope = {
    sender: inText(forwards.sender),
    recipients: forwards.recipients.map(inText),
  };
  const letter: QueueLetter = await openQueueLetter(env);
  await letter.write(Buffer.from(forwards.deliveredTo, 'latin1'));
  for await (const chunk of forwards.message.chunks()) await letter.write(chunk);
  return { outcome: await letter.finish(envelope), pid: letter.pid };
}

function inText(address: string): string {
  const text = toText(address);
  if (text === undefined) throw never('addresses that are not UTF-8 cannot be queued');
  return text;
}
