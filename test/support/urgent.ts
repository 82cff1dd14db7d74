/**
 * Commands that read much give way to the mail: lowest priority, and a rest whenever the machine is busy. Here it
 * is other tests that keep it busy, and nobody has mail to lose by a command that takes its share.
 */
const reading = /^(verify|search|log|ask|what-if|views rebuild)$/;

/** The same words, with `--urgent` where the command has it. */
export function urgently(words: readonly string[]): readonly string[] {
  const [first = '', second = ''] = words;
  const isBare = reading.test(first) && second !== 'copy';
  const length = isBare ? 1 : reading.test(`${first} ${second}`) ? 2 : 0;
  if (length === 0 || words.includes('--urgent')) return words;
  return [...words.slice(0, length), '--urgent', ...words.slice(length)];
}
