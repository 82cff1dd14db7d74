/** Tokens as a header shows them, folded, and as an envelope has them, bare (qmail's token822_unparse, _unquote). */
import { isWord, type Token, type Word } from '../../mail/address-tokens.ts';

/** Longest line where a comma comes in time. */
const lineBytes = 78;

/** The inner text of words, signs as they are, comments gone: `a."b c"@d` gives `a.b c@d`. */
export function toBare(tokens: readonly Token[]): string {
  let bare = '';
  for (const token of tokens) {
    if (!isWord(token)) bare += token.kind;
    else if (token.kind === 'literal') bare += `[${token.text}]`;
    else if (token.kind !== 'comment') bare += token.text;
  }
  return bare;
}

/** On one line, however long. */
export function printTokens(tokens: readonly Token[]): string {
  let text = '';
  let before: Token | undefined;
  for (const token of tokens) {
    if (before !== undefined && needsSpace(before, token)) text += ' ';
    text += printToken(token);
    before = token;
  }
  return text;
}

/**
 * `Name: a, b` LF. Folded behind commas only, where the line would pass 78 bytes; continuation lines
 * begin with two spaces, which count. What has no comma is never broken.
 */
export function printField(name: string, tokens: readonly Token[]): string {
  const lines: string[] = [];
  let line = `${name}:`;
  let empty = true;
  for (const item of toItems(tokens)) {
    const longer = `${line} ${item}`;
    // The first item has no comma in front of it to break at.
    if (empty || longer.length <= lineBytes) line = longer;
    else {
      lines.push(line);
      line = `  ${item}`;
    }
    empty = false;
  }
  return `${[...lines, line].join('\n')}\n`;
}

/** What stands between commas, each with the comma behind it. */
function toItems(tokens: readonly Token[]): readonly string[] {
  const items: string[] = [];
  let item: Token[] = [];
  for (const token of tokens) {
    item.push(token);
    if (token.kind !== ',') continue;
    items.push(printTokens(item));
    item = [];
  }
  if (item.length > 0) items.push(printTokens(item));
  return items;
}

function needsSpace(before: Token, token: Token): boolean {
  if (before.kind === ':' || before.kind === ',' || token.kind === '<') return true;
  return isWord(before) && isWord(token);
}

function printToken(token: Token): string {
  if (!isWord(token)) return token.kind;
  switch (token.kind) {
    case 'atom':
      return token.text;
    case 'quote':
      return `"${escape(token)}"`;
    case 'comment':
      return `(${escape(token)})`;
    case 'literal':
      return `[${escape(token)}]`;
  }
}

/** A line end stays only where a blank goes on behind it: nothing may begin a header line of its own. */
const escape = ({ text }: Word): string =>
  text.replace(/\n(?![ \t])/g, '').replace(/["[\]()\\\r\n]/g, '\\$&');
