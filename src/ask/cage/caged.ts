/**
 * The process in which one question runs: descriptor 3 brings orders, 4 takes answers, and nothing else is
 * open. It reads and writes them itself, one at a time, so that whatever the question's code does to its
 * process (ends it, fills it, prints, leaves promises behind) is told between two answers or ends just this.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { closeStrays } from '../../platform/stray-descriptors.ts';
import { wordsOf } from '../run.ts';
import { mostAnswerBytes, readFrame, tooMuch, writeFrame } from './frames.ts';
import { Inmate } from './inmate.ts';
import type { Limits, News, Order, Reply } from './orders.ts';

const [orders, answers] = [3, 4];
const tell = (words: Reply | News): void => writeFrame(answers, JSON.stringify(words));

closeStrays([orders, answers]);
const limits = JSON.parse(process.argv[2]!) as Limits;
const inmate = new Inmate(limits, () => tell({ kind: 'alive' }));

let isOver = false;
process.on('exit', (code) => {
  if (!isOver) tell(inmate.lastWords(`it ended its process: process.exit(${code})`));
});
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (cause: unknown) => {
    tell(inmate.lastWords(`something that it left behind failed: ${wordsOf(cause)}`));
    isOver = true;
    process.exit(1);
  });
}
// Whoever keeps the cage decides what an interrupt means.
process.on('SIGINT', () => undefined);

function tellReply(reply: Reply, during: 'fold' | 'answer'): void {
  const text = JSON.stringify(reply);
  if (3 * text.length <= mostAnswerBytes || Buffer.byteLength(text) <= mostAnswerBytes)
    return writeFrame(answers, text);
  tell({ kind: 'answered', parked: { during, error: tooMuch } });
}

for (;;) {
  const text = readFrame(orders);
  if (text === undefined) break;
  const order = JSON.parse(text) as Order;
  const reply = await inmate.obey(order);
  // Promises that were left behind fail now, rather than under the next order.
  await nextTurn();
  tellReply(reply, order.kind === 'fold' ? 'fold' : 'answer');
}
isOver = true;
process.exit(0);
