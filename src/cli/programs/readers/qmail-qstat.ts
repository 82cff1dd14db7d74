/** qmail-qstat: how many letters are in the queue. */
import { placesOf } from '../lib/places.ts';
import type { Print } from '../lib/print.ts';
import { tryLater, type Program } from '../lib/program.ts';
import { lettersOf, QueueOutOfReach, withQueueNow } from './queue-now.ts';
import { wordsOf } from './words-of.ts';

/** A letter is accepted and routed in one event: none is in the queue that is not preprocessed. */
const notPreprocessed = 0;

export const qmailQstat =
  ({ print }: { readonly print: Print }): Program =>
  async ({ env }) => {
    try {
      await withQueueNow(placesOf(env), async ({ agenda }) => {
        let letters = 0;
        for (const _ of lettersOf(agenda)) letters += 1;
        print(`messages in queue: ${letters}\n`);
        print(`messages in queue but not yet preprocessed: ${notPreprocessed}\n`);
      });
      return 0;
    } catch (cause) {
      if (!(cause instanceof QueueOutOfReach)) throw cause;
      throw tryLater(`${cause.message}: ${wordsOf(cause.cause)}`);
    }
  };
