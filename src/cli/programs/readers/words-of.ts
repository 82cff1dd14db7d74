/** Why something went wrong: the system's trouble in qmail's words, any other in its own. */
import { errnoOf, errorWords } from '../../../platform/errno.ts';

export const wordsOf = (cause: unknown): string =>
  /^E[A-Z0-9]+$/.test(errnoOf(cause) ?? '') || !(cause instanceof Error)
    ? errorWords(cause)
    : cause.message;
