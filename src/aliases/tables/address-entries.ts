/**
 * The entries of a line of `/etc/aliases`, of a `.forward` or of an `:include:` list, as sendmail's users
 * write them and as fastforward and dot-forward read them: from right to left. So a display name needs
 * no comma behind it, and two words without a comma between them are two entries.
 * Texts are byte strings: one character per byte.
 */
import { isWord, type Token } from '../../mail/address-tokens.ts';

export type Entry =
  | {
      readonly kind: 'address';
      /** Without quotes and comments. */
      readonly text: string;
      /** Whether it has an `@` outside of quotes; without one, `|…` is a program and `/…` a file. */
      readonly hasHost: boolean;
    }
  /** `:include:` and a file name. */
  | { readonly kind: 'include'; readonly text: string };

export type EntryRules = {
  /** Whether `:include:` means anything; else its colons vanish, as all other colons do. */
  readonly includes: boolean;
};

/**
 * The rightmost entry first, each as soon as it is read, so that what stands before a mistake can be
 * obeyed. Returns whether the line could be read to its left end.
 */
export function* readEntries(
  tokens: readonly Token[],
  { includes }: EntryRules,
): Generator<Entry, boolean> {
  /** Right to left. */
  let address: Token[] = [];
  /** Whether a word to the left still belongs to `address`. */
  let wordBelongs = true;
  let at = tokens.length - 1;

  const isHere = (kind: Token['kind'], offset = 0) => tokens[at - offset]?.kind === kind;
  const take = (): Entry => {
    const entry = toEntry(address.reverse());
    address = [];
    return entry;
  };

  while (at >= 0) {
    const token = tokens[at]!;
    switch (token.kind) {
      case 'comment':
      case ';':
        break;
      case ':':
        if (!includes || !isInclude(tokens[at - 1]) || !isHere(':', 2)) break;
        yield { kind: 'include', text: take().text };
        at -= 2;
        wordBelongs = true;
        break;
      case ',':
        if (address.length > 0) yield take();
        wordBelongs = true;
        break;
      case '>':
        if (address.length > 0) yield take();
        for (at -= 1; at >= 0 && !isHere('<'); at -= 1) address.push(tokens[at]!);
        yield take();
        if (at < 0) return false;
        while (belongsToName(tokens[at - 1])) at -= 1;
        wordBelongs = false;
        break;
      case 'atom':
      case 'quote':
      case 'literal':
        if (!wordBelongs && address.length > 0) yield take();
        address.push(token);
        wordBelongs = false;
        break;
      default:
        address.push(token);
        wordBelongs = true;
    }
    at -= 1;
  }
  if (address.length > 0) yield take();
  return true;
}

const isInclude = (token: Token | undefined): boolean =>
  token?.kind === 'atom' && token.text === 'include';

/** The words left of `<…>`: a name for people, back to the comma or colon before it. */
const belongsToName = (token: Token | undefined): boolean =>
  token !== undefined &&
  (isWord(token) ? token.kind !== 'literal' : token.kind === '@' || token.kind === '.');

const toEntry = (tokens: readonly Token[]): Entry => ({
  kind: 'address',
  text: tokens.map(toText).join(''),
  hasHost: tokens.some(({ kind }) => kind === '@'),
});

function toText(token: Token): string {
  if (!isWord(token)) return token.kind;
  if (token.kind === 'comment') return '';
  return token.kind === 'literal' ? `[${token.text}]` : token.text;
}

/** The lines of a text, each with its line end, which a backslash in front makes part of a word. */
export const physicalLines = (text: string): readonly string[] =>
  text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
