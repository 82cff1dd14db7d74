/**
 * IP addresses as text, each in one spelling only, so that they can be compared and looked up.
 * IPv6 is written as RFC 5952 wants it; an IPv4 address inside IPv6 (`::ffff:1.2.3.4`) is IPv4.
 */

const octet = '(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])';
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

/** Whether it is an IPv4 address in the usual spelling: four decimal numbers, no leading zeros. */
export const isIpv4 = (text: string): boolean => ipv4.test(text);

/** Whether only programs of this machine can be there; IPv4 inside IPv6 included. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/i.test(address);

/** `1.2.3.4` at the end of an IPv6 address stands for its last two groups. */
function withoutDots(text: string): string | undefined {
  const cut = text.lastIndexOf(':') + 1;
  const tail = text.slice(cut);
  if (!tail.includes('.')) return text;
  if (!isIpv4(tail)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = tail.split('.').map(Number);
  return `${text.slice(0, cut)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

const groupsOf = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));

/** The eight 16-bit groups of an IPv6 address without zone; `undefined` for anything else. */
export function ipv6Groups(text: string): readonly number[] | undefined {
  if (text.length > 45 || !text.includes(':')) return undefined;
  const halves = withoutDots(text)?.split('::');
  if (halves === undefined || halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '');
  const tail = groupsOf(halves[1] ?? '');
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16));
}

/** Where the longest run of two or more zero groups is. */
function longestZeros(groups: readonly number[]): { from: number; length: number } {
  let best = { from: 0, length: 1 };
  for (let from = 0; from < groups.length; from += 1) {
    let length = 0;
    while (groups[from + length] === 0) length += 1;
    if (length > best.length) best = { from, length };
  }
  return best;
}

function formatIpv6(groups: readonly number[]): string {
  const { from, length } = longestZeros(groups);
  const spelled = groups.map((group) => group.toString(16));
  if (length < 2) return spelled.join(':');
  return `${spelled.slice(0, from).join(':')}::${spelled.slice(from + length).join(':')}`;
}

const isMappedIpv4 = (groups: readonly number[]): boolean =>
  groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;

/**
 * The one spelling of an IP address, bare or in brackets (`[1.2.3.4]`, `[::1]`, `[IPv6:::1]`), with or
 * without zone (`fe80::1%eth0`, which is dropped); `undefined` when it is no address.
 */
export function normalizeIp(text: string): string | undefined {
  const bare = /^\[(?:IPv6:)?(.*)\]$/i.exec(text)?.[1] ?? text;
  if (isIpv4(bare)) return bare;
  const groups = ipv6Groups(bare.replace(/%[0-9A-Za-z_.-]+$/, ''));
  if (groups === undefined) return undefined;
  if (!isMappedIpv4(groups)) return formatIpv6(groups);
  const [high = 0, low = 0] = groups.slice(6);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * Who counts as one client: an IPv4 address; of an IPv6 address its first 64 bits, for whoever has one
 * has the whole network. `ip` as `normalizeIp` spells it.
 */
export function networkOf(ip: string): string {
  const groups = ipv6Groups(ip)?.slice(0, 4);
  return groups === undefined ? ip : groups.map((group) => group.toString(16)).join(':');
}

/** The same of an address in any spelling, as sockets give it; what is none counts as itself. */
export const networkAt = (address: string): string => networkOf(normalizeIp(address) ?? address);
