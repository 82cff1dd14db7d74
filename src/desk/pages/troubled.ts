/** What is wrong with a question is said on its page; what is wrong with us is not, and is thrown. */
import { isTrouble } from '../../mail/trouble.ts';

export function troubled(cause: unknown): string {
  if (isTrouble(cause) || (cause instanceof Error && cause.name === 'Error')) return cause.message;
  throw cause;
}
