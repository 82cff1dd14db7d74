/** A text to be found in replies, as the index of replies knows them: shapes, and the words left out of them. */
import { differs, gap } from './shape.ts';

export type ReplyPieces = {
  /** In lower case, with a gap for each whole word that differs: a shape holds it, or one of the words a piece. */
  readonly core: string;
  /** Words of the text that may be part of a word left out. */
  readonly pieces: readonly string[];
  /** The index finds all that hold the text. Addresses of hosts are found by their beginnings. */
  readonly isIndexed: boolean;
};

/** The index of words knows them by three letters at a time. */
const shortestPiece = 3;

/**
 * A word inside the text stands whole in a reply. The first may be the end of one, the last the beginning;
 * where these are too short to be looked up, shapes need not hold them.
 */
export function replyPieces(text: string): ReplyPieces {
  const lower = text.toLowerCase();
  const words = [...lower.matchAll(/\S+/g)];
  const last = words.length - 1;
  const isOpen = (index: number) =>
    (index === 0 && !/^\s/.test(lower)) || (index === last && !/\s$/.test(lower));
  const isLong = (word: string) => [...word].length >= shortestPiece;
  const kept = words
    .map((match, index) => ({ word: match[0], from: match.index, isOpen: isOpen(index) }))
    .filter((each) => !each.isOpen || isLong(each.word));
  if (kept.length === 0) return { core: '', pieces: [], isIndexed: false };
  let core = '';
  let at = kept[0]!.from;
  for (const { word, from, isOpen } of kept) {
    core += lower.slice(at, from);
    core += !isOpen && differs(word) ? gap : word;
    at = from + word.length;
  }
  const pieces = kept.map(({ word }) => word).filter(isLong);
  return { core, pieces, isIndexed: true };
}

/** As queries of the index of words. */
export function trigramsOf(piece: string): readonly string[] {
  const letters = [...piece];
  const grams = letters.slice(2).map((_, at) => letters.slice(at, at + 3).join(''));
  return [...new Set(grams)].map((gram) => `"${gram.replaceAll('"', '""')}"`);
}
