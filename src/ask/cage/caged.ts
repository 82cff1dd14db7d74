/**
 * The process in which one question runs: descriptor 3 brings orders, 4 takes answers, and nothing else is
 * open. It reads and writes them itself, one at a time, so that whatever the question's code does to its
 * process (ends it, fills it, prints, leaves promises behind) is told between two answers or ends just this.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { closeStrays } from '../../platform/stray-descriptors.ts';
import { wordsOf } from '../run.ts';
import { mostFrameBytes, readFrame, writeFrame } from './frames.ts';
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

/** What is longer than a frame is no answer that anybody could show. */
function tellReply(reply: Reply): void {
  const text = JSON.stringify(reply);
  if (3 * text.length <= mostFrameBytes || Buffer.byteLength(text) <= mostFrameBytes)
    return writeFrame(answers, text);
  const error = `it has more to say than ${mostFrameBytes / 1024 / 1024} MiB at once`;
  tell({ kind: 'answered', parked: { during: 'answer', error } });
}

for (;;) {
  const text = readFrame(orders);
  if (text === undefined) break;
  const reply = await inmate.obey(JSON.parse(text) as Order);
  // Promises that were left behind fail now, rather than under the next order.
  await nextTurn();
  tellReply(reply);
}
isOver = true;
process.exit(0);
