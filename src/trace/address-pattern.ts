/** How a person names addresses and hosts: whole, by domain, or with stars. Pure. */

/**
 * Whether an address or host is meant: exactly, as `@domain`, or by a pattern in which `*` stands for
 * anything. Case is ignored; `<>` means the empty return path.
 */
export function fits(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  if (wanted === '<>') return given === '';
  if (wanted.includes('*')) return glob(wanted.split('*'), given);
  if (given === wanted) return true;
  return wanted.startsWith('@') && given.slice(Math.max(0, given.lastIndexOf('@'))) === wanted;
}

/** The pieces between the stars, in order; no regular expression, so no pattern is slow. */
function glob(pieces: readonly string[], text: string): boolean {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = text.indexOf(piece, from);
    if (at === -1 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}
