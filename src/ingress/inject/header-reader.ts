/**
 * Cuts a letter that comes in pieces into the fields of its header and the rest (qmail's headerbody.c).
 * Lines end in LF; a CR is a byte like any other. Holds the header and at most one unfinished line.
 */
import { isField } from './fields.ts';

export type Header = {
  /** Each with its continuation lines, LF at the end of each line. */
  readonly fields: readonly string[];
  /**
   * What follows, as far as it has been read: the empty line first, one of our own when a line that is
   * no field ended the header, and nothing when the letter is all header.
   */
  readonly rest: string;
};

export interface HeaderReader {
  /** Byte strings. The header, once its end is met; nothing may be pushed afterwards. */
  push(chunk: string): Header | undefined;
  /** There is no more. */
  end(): Header;
}

export function headerReader(): HeaderReader {
  const fields: string[] = [];
  /** Unfinished lines in pieces: a long line must not be copied for each of its pieces. */
  let pieces: string[] = [];

  /** Takes a whole line; says what stands in front of the body when the line ends the header. */
  const take = (line: string): '' | '\n' | undefined => {
    if (line === '\n') return '';
    if (/^[ \t]/.test(line)) {
      if (fields.length === 0) return '\n';
      fields[fields.length - 1] += line;
      return undefined;
    }
    if (line.startsWith('From ')) fields.push(`MBOX-Line: ${line}`);
    else if (isField(line)) fields.push(line);
    else return '\n';
    return undefined;
  };

  return {
    push(chunk) {
      if (!chunk.includes('\n')) {
        pieces.push(chunk);
        return undefined;
      }
      const text = pieces.join('') + chunk;
      pieces = [];
      for (let at = 0; at < text.length;) {
        const end = text.indexOf('\n', at) + 1;
        if (end === 0) {
          pieces.push(text.slice(at));
          break;
        }
        const before = take(text.slice(at, end));
        if (before !== undefined) return { fields, rest: before + text.slice(at) };
        at = end;
      }
      return undefined;
    },
    end() {
      const last = pieces.join('');
      pieces = [];
      if (last === '') return { fields, rest: '' };
      const before = take(`${last}\n`);
      return { fields, rest: before === undefined ? '' : `${before}${last}\n` };
    },
  };
}
