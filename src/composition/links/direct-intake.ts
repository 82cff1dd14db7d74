/** An intake within the queue's own process: for local programs, and for qmail-queue when no engine runs. */
import type { IncomingLetter, Intake } from '../../ingress/ports.ts';
import type { MessageId } from '../../mail/envelope.ts';
import { makeMessageId, randomBytesWanted } from '../../mail/message-id.ts';
import type { Trouble } from '../../mail/trouble.ts';
import type { Clock } from '../../platform/clock.ts';
import { randomFromPool } from '../../platform/random.ts';
import type { QueueIntake } from '../../queue/intake.ts';
import { inlineBodyBytes, type BodyWriter, type Spool } from '../../spool/ports.ts';
import { acceptLarge } from './intake-link.ts';

export interface DirectIntake extends Intake {
  /** With the name of a letter that is there already, `accept` changes nothing. */
  begin(id?: MessageId): IncomingLetter;
}

/** Small bodies wait in memory, large ones go to the spool as they come. */
export function directIntake(parts: {
  readonly queue: QueueIntake;
  readonly spool: Spool;
  readonly clock: Clock;
  /** Why no letter can be taken now. */
  readonly refusal?: () => Trouble | undefined;
}): DirectIntake {
  const { queue, spool, clock } = parts;
  const refuse = (): void => {
    const trouble = parts.refusal?.();
    if (trouble !== undefined) throw trouble;
  };
  return {
    begin(id = makeMessageId(clock.now(), randomFromPool(randomBytesWanted))): IncomingLetter {
      let chunks: Uint8Array[] = [];
      let held = 0;
      let writer: BodyWriter | undefined;
      return {
        id,
        async write(chunk) {
          if (held === 0) refuse();
          if (writer === undefined && held + chunk.byteLength <= inlineBodyBytes) {
            // A copy: the chunk may be a window on a buffer of the link, which is used again.
            chunks.push(Uint8Array.from(chunk));
            held += chunk.byteLength;
            return;
          }
          writer ??= await spool.open(id);
          for (const part of [...chunks, chunk]) await writer.write(part);
          chunks = [];
        },
        async accept(envelope, arrival) {
          if (writer === undefined) {
            refuse();
            const body = await spool.stage(id, Buffer.concat(chunks, held));
            await queue.accept({ id, envelope, arrival, body });
          } else {
            const body = await writer.stage();
            await acceptLarge({ id, envelope, arrival, body }, queue, spool);
          }
          return id;
        },
        abandon() {
          chunks = [];
          void writer?.abandon().catch(() => undefined);
        },
      };
    },
  };
}
