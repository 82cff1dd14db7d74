/**
 * Text of files that may hold any bytes (old .qmail files are Latin-1). A line that is UTF-8 is just text;
 * in any other line each byte above 127 is a lone surrogate U+DC80 to U+DCFF, as python does
 * ("surrogateescape"), so that nothing is lost and nothing takes it for a character.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decodeRaw(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    return latin1.split('\n').map(decodeLine).join('\n');
  }
}

function decodeLine(line: string): string {
  try {
    return utf8.decode(Buffer.from(line, 'latin1'));
  } catch {
    return line.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
  }
}

/** Whether it has bytes that are no text. */
export const isRaw = (text: string): boolean => !text.isWellFormed();

/** So that `printf %b` gives the bytes back: for a command, which node hands on as UTF-8 only. */
export const forPrintf = (text: string): string =>
  text
    .replaceAll('\\', '\\\\')
    .replace(
      /[\udc80-\udcff]/g,
      (byte) => `\\0${(byte.charCodeAt(0) - 0xdc00).toString(8).padStart(3, '0')}`,
    );
