/** A body on its way into a local file: LF line ends, all at once when it is small, else in pieces. */
import { crlfToLf } from '../../mail/newlines.ts';
import type { BodySource } from '../../queue/ports.ts';

export interface Letter {
  /** All of it, when it is at hand. */
  readonly whole: Uint8Array | undefined;
  /** With CRLF line ends: a little more than a local file takes. */
  readonly wireBytes: number;
  /** From the start; each call is another pass. Throws `LetterUnreadable`. */
  chunks(): AsyncIterable<Uint8Array>;
}

/** The body did not come as it should: nobody's fault but ours. */
export class LetterUnreadable extends Error {
  constructor(cause: unknown) {
    super('the body cannot be read', { cause });
    this.name = 'LetterUnreadable';
  }
}

export function localLetter(body: BodySource): Letter {
  const whole = body.inline && convert(body.inline);
  const wireBytes = body.ref.bytes;
  return {
    whole,
    wireBytes,
    chunks: () => (whole === undefined ? readInPieces(body) : once(whole)),
  };
}

function convert(bytes: Uint8Array): Uint8Array {
  const converter = crlfToLf();
  const most = converter.push(bytes);
  const rest = converter.end();
  return rest.length === 0 ? most : Buffer.concat([most, rest]);
}

async function* once(whole: Uint8Array): AsyncGenerator<Uint8Array> {
  yield whole;
}

async function* readInPieces(body: BodySource): AsyncGenerator<Uint8Array> {
  const converter = crlfToLf();
  let bytes = 0;
  try {
    for await (const chunk of body.read()) {
      bytes += chunk.length;
      yield converter.push(chunk);
    }
  } catch (cause) {
    throw new LetterUnreadable(cause);
  }
  // A source that ends early without a word would pass for a shorter letter.
  if (bytes !== body.ref.bytes) throw new LetterUnreadable(`${bytes} bytes of ${body.ref.bytes}`);
  yield converter.end();
}
