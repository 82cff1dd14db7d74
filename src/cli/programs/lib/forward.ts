/** forward: a letter that a .qmail file hands on, as it is, to other addresses. */
import { requireQueued, openQueueLetter } from './queue-letter.ts';
import { never, type Call } from './program.ts';

/** `forward address ...`: the addresses are taken literally. */
export async function forward({ args, env, input, say }: Call): Promise<number> {
  const sender = env['NEWSENDER'];
  const deliveredTo = env['DTLINE'];
  if (sender === undefined) throw never('NEWSENDER not set');
  if (deliveredTo === undefined) throw never('DTLINE not set');
  const letter = await openQueueLetter(env);
  await letter.write(Buffer.from(deliveredTo));
  for await (const chunk of input()) await letter.write(chunk);
  requireQueued(await letter.finish({ sender, recipients: args }));
  say(`forward: qp ${letter.pid}\n`);
  return 0;
}
