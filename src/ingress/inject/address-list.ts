/**
 * The addresses of a field (qmail's token822_addrlist). Read from right to left: so a phrase needs no
 * comma behind it, and a comma that was forgotten between two addresses is found.
 */
import { isWord, sign, type Token } from '../../mail/address-tokens.ts';

/** The tokens of one address, in their order; empty for `<>`. */
export type AddressTokens = readonly Token[];

export type AddressList = {
  /** The field with its addresses rewritten; `undefined` when it is no list of addresses. */
  readonly tokens: readonly Token[] | undefined;
  /** The rewritten addresses in the order they were met: the rightmost first. Those before a mistake are here, too. */
  readonly addresses: readonly AddressTokens[];
};

/** Reads the tokens behind `Name:` and passes each address through `rewrite`. */
export function parseAddressList(
  tokens: readonly Token[],
  rewrite: (address: AddressTokens) => AddressTokens,
): AddressList {
  const reader = new Reader(tokens, rewrite);
  const ok = reader.read();
  return { tokens: ok ? reader.out.reverse() : undefined, addresses: reader.addresses };
}

class Reader {
  /** Right to left, as everything here. */
  readonly out: Token[] = [];
  readonly addresses: AddressTokens[] = [];
  readonly #tokens: readonly Token[];
  readonly #rewrite: (address: AddressTokens) => AddressTokens;
  #at: number;
  #address: Token[] = [];
  #inGroup = false;
  /** Whether a word may come without a comma between it and what is to its right. */
  #wordMayCome = true;

  constructor(tokens: readonly Token[], rewrite: (address: AddressTokens) => AddressTokens) {
    this.#tokens = tokens;
    this.#rewrite = rewrite;
    this.#at = tokens.length - 1;
  }

  read(): boolean {
    while (this.#at >= 0) if (!this.#step(this.#tokens[this.#at]!)) return false;
    this.#flush();
    return true;
  }

  #step(token: Token): boolean {
    switch (token.kind) {
      case ';':
        this.#flushBehindComma();
        if (this.#inGroup) return false;
        this.#inGroup = true;
        this.#wordMayCome = true;
        this.#keep();
        return true;
      case ':':
        return this.#groupName();
      case '>':
        return this.#bracketed();
      case ',':
        this.#flush();
        this.#wordMayCome = true;
        this.#keep();
        return true;
      case 'comment':
        this.#keep();
        return true;
      case 'atom':
      case 'quote':
      case 'literal':
        if (!this.#wordMayCome) this.#flushBehindComma();
        this.#wordMayCome = false;
        this.#address.push(this.#take());
        return true;
      default:
        this.#wordMayCome = true;
        this.#address.push(this.#take());
        return true;
    }
  }

  /** `name:` up to the comma before it. */
  #groupName(): boolean {
    this.#flush();
    if (!this.#inGroup) return false;
    this.#inGroup = false;
    while (this.#at >= 0 && this.#tokens[this.#at]!.kind !== ',') this.#keep();
    if (this.#at >= 0) this.#keep();
    this.#wordMayCome = true;
    return true;
  }

  /** `phrase <address>`; an empty pair of brackets is an address. */
  #bracketed(): boolean {
    this.#flushBehindComma();
    this.#keep();
    while (this.#at >= 0 && this.#tokens[this.#at]!.kind !== '<') this.#address.push(this.#take());
    this.#emit();
    if (this.#at < 0) return false;
    this.#keep();
    while (this.#at >= 0 && belongsToPhrase(this.#tokens[this.#at]!)) this.#keep();
    this.#wordMayCome = false;
    return true;
  }

  #take(): Token {
    return this.#tokens[this.#at--]!;
  }

  #keep(): void {
    this.out.push(this.#take());
  }

  #flush(): void {
    if (this.#address.length > 0) this.#emit();
  }

  #flushBehindComma(): void {
    if (this.#address.length === 0) return;
    this.#emit();
    this.out.push(sign(','));
  }

  #emit(): void {
    const address = this.#rewrite(this.#address.reverse());
    this.#address = [];
    this.addresses.push(address);
    for (let i = address.length - 1; i >= 0; i -= 1) this.out.push(address[i]!);
  }
}

const belongsToPhrase = (token: Token): boolean =>
  isWord(token) ? token.kind !== 'literal' : token.kind === '@' || token.kind === '.';
