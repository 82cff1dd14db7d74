/**
 * Completes addresses in tables and forwarding files, so that nothing has to be guessed when a letter
 * comes: a host where there is none, a domain for a host without a dot.
 */

/** Byte strings: one character per byte. */
export type DefaultHosts = {
  readonly defaultHost: string;
  readonly defaultDomain: string;
  readonly plusDomain: string;
};

/** `hasHost`: whether the address has an `@` that is no quoted one. */
export function qualify(
  { text, hasHost }: { readonly text: string; readonly hasHost: boolean },
  { defaultHost, defaultDomain, plusDomain }: DefaultHosts,
): string {
  const hosted = !hasHost
    ? `${text}@${defaultHost}`
    : text.endsWith('@')
      ? text + defaultHost
      : text;
  const plussed = hosted.endsWith('+') ? `${hosted.slice(0, -1)}.${plusDomain}` : hosted;
  const domain = plussed.slice(plussed.lastIndexOf('@') + 1);
  const complete = domain.includes('.') || /^\[.*\]$/s.test(domain);
  return complete ? plussed : `${plussed}.${defaultDomain}`;
}
