/**
 * The words and signs of an address field (RFC 822 §3.3, as lenient as qmail's token822.c).
 * Texts are byte strings: one character per byte (latin1).
 */

export type Word = {
  readonly kind: 'atom' | 'quote' | 'comment' | 'literal';
  /** Without its marks and escapes; inner parentheses of a comment are lost. */
  readonly text: string;
};

export type Sign = { readonly kind: '.' | ',' | '@' | '<' | '>' | ':' | ';' };

export type Token = Word | Sign;

export const sign = (kind: Sign['kind']): Sign => ({ kind });

export const isWord = (token: Token): token is Word => 'text' in token;

const blank = /[ \t\r\n]/;

/** What an atom ends at. */
const atomEnd = /[ \t\r\n([">;:@,.<]/;

const signs: ReadonlySet<string> = new Set(['.', ',', '@', '<', '>', ':', ';']);

/** `undefined` for a mark that is never closed, and for `)` or `]` where a word should begin. */
export function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const letter = text[at]!;
    if (blank.test(letter)) {
      at += 1;
      continue;
    }
    if (signs.has(letter)) {
      tokens.push({ kind: letter as Sign['kind'] });
      at += 1;
      continue;
    }
    const read = readWord(text, at);
    if (read === undefined) return undefined;
    tokens.push(read.word);
    at = read.end;
  }
  return tokens;
}

type ReadWord = { readonly word: Word; readonly end: number };

function readWord(text: string, from: number): ReadWord | undefined {
  switch (text[from]) {
    case '"':
      return readMarked(text, from, 'quote', '"');
    case '[':
      return readMarked(text, from, 'literal', ']');
    case '(':
      return readMarked(text, from, 'comment', ')');
    case ')':
    case ']':
      return undefined;
    default:
      return readAtom(text, from);
  }
}

/** Up to the closing mark; only comments nest. */
function readMarked(
  text: string,
  from: number,
  kind: Word['kind'],
  close: string,
): ReadWord | undefined {
  let word = '';
  let depth = 1;
  for (let at = from + 1; at < text.length; at += 1) {
    let letter = text[at]!;
    if (letter === close) {
      depth -= 1;
      if (depth === 0) return { word: { kind, text: word }, end: at + 1 };
    } else if (kind === 'comment' && letter === '(') depth += 1;
    else {
      if (letter === '\\') {
        at += 1;
        if (at >= text.length) return undefined;
        letter = text[at]!;
      }
      word += letter;
    }
  }
  return undefined;
}

/** What an atom cannot say in the open. `.` and `@` can be said, though `@` will be misread (as in qmail). */
const needsQuotes = /[^!-~]|[)\]\\([">;:,<]/;

function readAtom(text: string, from: number): ReadWord {
  let word = '';
  let at = from;
  for (; at < text.length && !atomEnd.test(text[at]!); at += 1) {
    // A backslash at the very end stands for itself.
    if (text[at] === '\\' && at + 1 < text.length) at += 1;
    word += text[at]!;
  }
  return { word: { kind: needsQuotes.test(word) ? 'quote' : 'atom', text: word }, end: at };
}
