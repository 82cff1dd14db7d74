/**
 * mboxrd: a line of `>`s (or none) and `From ` gets one more `>`, so that it cannot pass for the start of
 * the next letter, and readers can take exactly one off again (mbox(5)).
 */

/** A start of line that more bytes may turn into `>*From `. */
const undecided = /^>*(F(r(om?)?)?)?$/;
/** Nobody takes a line that begins with so many `>`s for a new letter; holding it back would cost. */
const maxHeld = 65_536;

/** Chunks of any size in, the same out quoted; at the end a line that lacks its LF gets one. */
export async function* quoteFrom(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let held = '';
  let inLine = false;
  for await (const chunk of chunks) {
    const text = held + latin1(chunk);
    const tail = text.length > maxHeld * 2 ? '' : heldBack(text, inLine);
    const ready = text.slice(0, text.length - tail.length);
    held = tail;
    if (ready === '') continue;
    yield Buffer.from(quote(ready, inLine), 'latin1');
    inLine = !ready.endsWith('\n');
  }
  // A `From` that ends the letter has no blank after it, and needs no quote.
  const last = held + (inLine || held !== '' ? '\n' : '');
  if (last !== '') yield Buffer.from(last, 'latin1');
}

/** Bytes as characters, one to one. */
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

const quote = (text: string, inLine: boolean): string => {
  const quoted = text.replace(/\n(?=>*From )/g, '\n>');
  return !inLine && /^>*From /.test(text) ? `>${quoted}` : quoted;
};

function heldBack(text: string, inLine: boolean): string {
  const start = text.lastIndexOf('\n') + 1;
  if (start === 0 && inLine) return '';
  const tail = text.slice(start);
  return tail.length <= maxHeld && undecided.test(tail) ? tail : '';
}
