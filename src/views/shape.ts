/**
 * A reply without the words that differ from letter to letter, so that replies can be counted by what they
 * mean and kept once: `451 4.7.1 <joe@b.test>: try again in 300s (id 4F2B1C)` is
 * `451 4.7.1 …: try again in … (id …`.
 */

/** Stands for a word that was left out. */
export const gap = '…';

export type Shape = {
  readonly shape: string;
  /** What stood in the gaps, in order. */
  readonly words: readonly string[];
};

/** Codes of SMTP (RFC 5321 §4.2, RFC 3463) and short words without letters (`did 1+0+0`) stay; numbers differ. */
const statusCode = /^(?:[245]\d\d|\(?#?[245]\.\d{1,3}\.\d{1,3}\)?)[.,;:-]*$/;
const number = /^\d+$/;
const noLetters = /^[^\p{L}@]{1,6}$/u;
const suspicious = /[\d@]/;
/** No word of a sentence is so long. */
const longestWord = 40;
/** Shorter ones always stay: a search looks for pieces of words in threes. */
const shortestLeftOut = 4;

/** Whether a word is another one in each letter. */
export function differs(word: string): boolean {
  if (word.length > longestWord) return true;
  if (!suspicious.test(word) || statusCode.test(word)) return false;
  return number.test(word) || (word.length >= shortestLeftOut && !noLetters.test(word));
}

export function shapeOf(text: string): Shape {
  const words: string[] = [];
  const shape = text.replace(/\S+/g, (word) => {
    if (!differs(word)) return word;
    words.push(word);
    return gap;
  });
  return { shape, words };
}
