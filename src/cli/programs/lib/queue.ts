/** qmail-queue: message on descriptor 0, envelope on 1; says nothing, its exit code says all. */
import { envelopeReader, isMistake } from '../../../ingress/inject/queue-envelope.ts';
import { engineLetter } from './engine-letter.ts';
import { engineParts } from './places.ts';
import type { Environment } from './program.ts';

/** Nobody may take longer than a day. */
const limitMs = 86_400_000;

const timedOut = 52;
export const readError = 54;

/** `message` and `envelope` are read one after the other, to the end and to the envelope's. */
export async function queue(
  env: Environment,
  message: AsyncIterable<Buffer>,
  envelope: AsyncIterable<Buffer>,
): Promise<number> {
  setTimeout(() => process.exit(timedOut), limitMs).unref();
  const letter = engineLetter(engineParts(env));
  try {
    for await (const chunk of message) await letter.write(chunk);
    const reader = envelopeReader();
    for await (const chunk of envelope) {
      const read = reader.push(chunk);
      if (read === undefined) continue;
      return isMistake(read) ? read.exit : await letter.finish(read);
    }
    return reader.end().exit;
  } catch {
    return readError;
  }
}
