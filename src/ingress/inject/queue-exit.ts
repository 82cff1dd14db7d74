/** What qmail-queue's exit code means to whoever called it (qmail.c qmail_close). */

export type QueueOutcome = {
  readonly kind: 'queued' | 'permanent' | 'temporary';
  /** For people; `''` when queued. */
  readonly text: string;
};

const queued: QueueOutcome = { kind: 'queued', text: '' };
const permanent = (text: string): QueueOutcome => ({ kind: 'permanent', text });
const temporary = (text: string): QueueOutcome => ({ kind: 'temporary', text });

const texts: ReadonlyMap<number, QueueOutcome> = new Map([
  [0, queued],
  [11, permanent('envelope address too long for qq (#5.1.3)')],
  [31, permanent('mail server permanently rejected message (#5.3.0)')],
  [51, temporary('qq out of memory (#4.3.0)')],
  [52, temporary('qq timeout (#4.3.0)')],
  [53, temporary('qq write error or disk full (#4.3.0)')],
  [54, temporary('qq read error (#4.3.0)')],
  [55, temporary('qq unable to read configuration (#4.3.0)')],
  [56, temporary('qq trouble making network connection (#4.3.0)')],
  [61, temporary('qq trouble in home directory (#4.3.0)')],
  [62, temporary('qq trouble creating files in queue (#4.3.0)')],
  [63, temporary('qq trouble creating files in queue (#4.3.0)')],
  [64, temporary('qq trouble creating files in queue (#4.3.0)')],
  [65, temporary('qq trouble creating files in queue (#4.3.0)')],
  [66, temporary('qq trouble creating files in queue (#4.3.0)')],
  [71, temporary('mail server temporarily rejected message (#4.3.0)')],
  [72, temporary('connection to mail server timed out (#4.4.1)')],
  [73, temporary('connection to mail server rejected (#4.4.1)')],
  [74, temporary('communication with mail server failed (#4.4.2)')],
  [81, temporary('qq internal bug (#4.3.0)')],
  [91, temporary('qq internal bug (#4.3.0)')],
  [115, permanent('envelope address too long for qq (#5.1.3)')],
  [120, temporary('unable to exec qq (#4.3.0)')],
]);

/** `custom` is what the program wrote to descriptor 6: counts with exit code 82, when it begins with D or Z. */
export function queueOutcome(exit: number, custom = ''): QueueOutcome {
  const known = texts.get(exit);
  if (known !== undefined) return known;
  const words = custom.slice(0, customBytes);
  if (exit === 82 && words.length >= 3 && /^[DZ]/.test(words)) {
    return (words.startsWith('D') ? permanent : temporary)(words.slice(1));
  }
  if (exit >= 11 && exit <= 40) return permanent('qq permanent problem (#5.3.0)');
  return temporary('qq temporary problem (#4.3.0)');
}

export const queueCrashed: QueueOutcome = temporary('qq crashed (#4.3.0)');

const customBytes = 255;
