/** Sentences for a terminal that is narrower than they are. Tables and JSON are not folded. */

/** What a continued line stands further in than its beginning. */
const hangingBy = 4;

/**
 * Breaks a line at blanks so that it fits; what follows hangs below it. A word that does not fit (an id, a path, a
 * digest) stays whole, so that it can be copied.
 */
export function foldLine(text: string, columns: number): string {
  if (text.length <= columns) return text;
  const indent = text.length - text.trimStart().length;
  const hanging = ' '.repeat(Math.min(indent + hangingBy, columns >> 1));
  const [first = '', ...words] = text.slice(indent).split(' ');
  const lines: string[] = [];
  let line = ' '.repeat(indent) + first;
  for (const word of words) {
    if (line.length + 1 + word.length <= columns) {
      line += ` ${word}`;
      continue;
    }
    lines.push(line.trimEnd());
    line = hanging + word;
  }
  return [...lines, line].join('\n');
}
