/** Something in front of what comes in. */
export async function* prefixed(
  text: string | Buffer,
  input: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  yield typeof text === 'string' ? Buffer.from(text) : text;
  yield* input;
}
