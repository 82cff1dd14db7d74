/** qmail-qread: what is in the queue, for people and for scripts that know qmail's. */
import { qreadLines } from '../../../trace/qread.ts';
import { readLetter } from '../../../trace/read-letter.ts';
import { exitTryLater } from '../../exit-codes.ts';
import { placesOf } from '../lib/places.ts';
import type { Print } from '../lib/print.ts';
import type { Program } from '../lib/program.ts';
import { lettersOf, QueueOutOfReach, withQueueNow } from './queue-now.ts';
import { wordsOf } from './words-of.ts';

/** Letter after letter: however long the queue, no more than one is held. Complaints go to stdout, as qmail's. */
export const qmailQread =
  ({ print }: { readonly print: Print }): Program =>
  async ({ env }) => {
    try {
      await withQueueNow(placesOf(env), async ({ agenda, log }) => {
        for (const message of lettersOf(agenda)) {
          const { events, lost } = await readLetter(log, message);
          if (lost.length > 0) print(`warning: trouble with #${message}: input/output error\n`);
          print(
            qreadLines(message, events)
              .map((line) => `${line}\n`)
              .join(''),
          );
        }
      });
      return 0;
    } catch (cause) {
      if (!(cause instanceof QueueOutOfReach)) throw cause;
      print(`fatal: ${cause.message}: ${wordsOf(cause.cause)}\n`);
      return exitTryLater;
    }
  };
