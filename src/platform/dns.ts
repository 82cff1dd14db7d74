/** The domain name system as delivery sees it: mail exchangers, addresses, and how sure we are. */

/**
 * `none` is a firm no: no such name (NXDOMAIN), no record of that type, or a name that cannot be.
 * `temporary` is no answer at all: a timeout, SERVFAIL, an unreachable server. `reason` is for us.
 */
export type DnsAnswer<T> =
  | { readonly kind: 'found'; readonly values: readonly T[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'temporary'; readonly reason: string };

/** `host` is `''` for a null MX, by which a domain says that it takes no mail (RFC 7505). */
export type MxRecord = { readonly preference: number; readonly host: string };

/** Never rejects. Names may be Unicode; a final dot is allowed. */
export interface Dns {
  /** In answer order, unsorted. */
  mx(host: string): Promise<DnsAnswer<MxRecord>>;
  /** IPv4 addresses in answer order, then IPv6. What one family has is found though the other fails. */
  addresses(host: string): Promise<DnsAnswer<string>>;
}
