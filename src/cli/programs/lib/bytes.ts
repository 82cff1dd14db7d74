/** Byte strings: one character per byte, as `ingress/inject/` wants them. */

/** What node took for text (arguments, environment), byte by byte. */
export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A byte string as text, or `undefined` when it is not UTF-8. */
export function toText(bytes: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
