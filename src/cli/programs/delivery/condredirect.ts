/** condredirect: sends a letter to another address instead, if a program says so. `|condredirect you@x.org program` */
import { closeSync } from 'node:fs';
import { saysYes } from '../lib/child.ts';
import { Misused, never, type Call, type Program } from '../lib/program.ts';
import { openQueueLetter, requireQueued } from '../lib/queue-letter.ts';
import { openMessage, type Message } from '../tables/message.ts';

/** Delivered, and the lines of the .qmail file that follow do not count. */
const exitEnough = 99;

/** `condredirect address program [argument ...]`, with the letter on `stdin`: the program reads it first. */
export const condredirect =
  ({ stdin }: { readonly stdin: number }): Program =>
  async (call) => {
    const [address, ...words] = call.args;
    if (address === undefined || words.length === 0) {
      throw new Misused('usage: condredirect newaddress program [ arg ... ]');
    }
    const message = openMessage(stdin);
    try {
      if (!(await wantsIt(words, message, call))) return 0;
      await redirect(address, message, call);
      return exitEnough;
    } finally {
      message.close();
    }
  };

async function wantsIt(
  words: readonly string[],
  message: Message,
  { env }: Call,
): Promise<boolean> {
  const own = await message.open();
  try {
    return await saysYes(words, { stdin: own, env });
  } finally {
    closeSync(own);
  }
}

/** The sender stays who it was: unlike forward, this is no mailing list's way. */
async function redirect(address: string, message: Message, { env, say }: Call): Promise<void> {
  const sender = env['SENDER'];
  const deliveredTo = env['DTLINE'];
  if (sender === undefined) throw never('SENDER not set');
  if (deliveredTo === undefined) throw never('DTLINE not set');
  const letter = await openQueueLetter(env);
  await letter.write(Buffer.from(deliveredTo));
  for await (const chunk of message.chunks()) await letter.write(chunk);
  requireQueued(await letter.finish({ sender, recipients: [address] }));
  say(`condredirect: qp ${letter.pid}\n`);
}
