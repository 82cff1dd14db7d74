/** The subject of a letter, as its header has it: unfolded, encoded words decoded (RFC 2047) where we know the charset. */
const mostBytes = 64 * 1024;
const longest = 1_000;

/** `undefined` where there is none. What comes out is a stranger's text like any other. */
export function subjectIn(body: Uint8Array): string | undefined {
  const text = Buffer.from(
    body.buffer,
    body.byteOffset,
    Math.min(body.byteLength, mostBytes),
  ).toString('utf8');
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const field = /^subject:[ \t]*((?:.*)(?:\r?\n[ \t]+.*)*)/im.exec(head)?.[1];
  if (field === undefined) return undefined;
  return decodeWords(field.slice(0, longest).replace(/\r?\n(?=[ \t])/g, '')).trim();
}

const word = /=\?([\w-]{1,40})(?:\*[\w-]{1,20})?\?([bq])\?([^? ]{0,400})\?=/gi;

/** Blanks between two encoded words are none (§6.2). */
const decodeWords = (text: string): string =>
  text
    .replace(/(\?=)[ \t]+(?==\?)/g, '$1')
    .replace(word, (whole, charset: string, way: string, coded: string) => {
      const bytes = way.toLowerCase() === 'b' ? Buffer.from(coded, 'base64') : unquoted(coded);
      try {
        return new TextDecoder(charset).decode(bytes);
      } catch {
        return whole;
      }
    });

const unquoted = (coded: string): Buffer =>
  Buffer.from(
    coded
      .replace(/_/g, ' ')
      .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
