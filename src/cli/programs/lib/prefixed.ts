/** Something in front of what comes in. */
export async function* prefixed(
  text: string,
  input: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from(text);
  yield* input;
}
