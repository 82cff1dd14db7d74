/** What becomes of every address of a letter that a local program hands in (qmail-inject.c rwgeneric). */
import type { AddressTokens } from './address-list.ts';
import { isWord, sign, tokenize, type Token } from '../../mail/address-tokens.ts';

/** What completes an address: control files, or the variables that overrule them; byte strings. */
export type Hosts = {
  readonly defaulthost: string;
  readonly defaultdomain: string;
  readonly plusdomain: string;
};

export type Rewrite = (address: AddressTokens) => AddressTokens;

/** The rewriting for these hosts. A host that is no sequence of tokens is `undefined`. */
export function rewriterFor(hosts: Hosts): Rewrite | undefined {
  const defaulthost = tokenize(hosts.defaulthost);
  const defaultdomain = tokenize(hosts.defaultdomain);
  const plusdomain = tokenize(hosts.plusdomain);
  if (!defaulthost || !defaultdomain || !plusdomain) return undefined;
  const withHost = [sign('@'), ...defaulthost];
  const withDomain = [sign('.'), ...defaultdomain];
  const withPlus = [sign('.'), ...plusdomain];
  return (address) => {
    if (hasEmptyLiteral(address)) return address;
    const bare = withoutLast('@', withoutLast('.', withoutRoute(address)));
    if (bare.length === 0) return bare;
    const complete = bare.some(({ kind }) => kind === '@') ? bare : [...bare, ...withHost];
    const plussed = replacePlus(complete, withPlus);
    return hasFullHost(plussed) ? plussed : [...plussed, ...withDomain];
  };
}

/** `x@[]` is how return paths ask for VERP. */
function hasEmptyLiteral(address: AddressTokens): boolean {
  const last = address.at(-1);
  return last?.kind === 'literal' && last.text === '' && address.at(-2)?.kind === '@';
}

/** `@one,@two:joe@host` is `joe@host`; without a colon nothing is left. */
function withoutRoute(address: AddressTokens): AddressTokens {
  if (address[0]?.kind !== '@') return address;
  const colon = address.findIndex(({ kind }) => kind === ':');
  return colon < 0 ? [] : address.slice(colon + 1);
}

const withoutLast = (kind: '.' | '@', address: AddressTokens): AddressTokens =>
  address.at(-1)?.kind === kind ? address.slice(0, -1) : address;

function replacePlus(address: AddressTokens, withPlus: readonly Token[]): AddressTokens {
  const last = address.at(-1);
  if (last?.kind !== 'atom' || !last.text.endsWith('+')) return address;
  return [...address.slice(0, -1), { kind: 'atom', text: last.text.slice(0, -1) }, ...withPlus];
}

function hasFullHost(address: AddressTokens): boolean {
  const at = address.findLastIndex(({ kind }) => kind === '@');
  return address
    .slice(at + 1)
    .some((token) => (isWord(token) ? token.kind === 'literal' : token.kind === '.'));
}
