/** The way of a letter from a door's process to the queue's. */
import { z } from 'zod';
import type { IncomingLetter, Intake } from '../../ingress/ports.ts';
import type { Arrival, Envelope, MessageId } from '../../mail/envelope.ts';
import { isMessageId, makeMessageId, randomBytesWanted } from '../../mail/message-id.ts';
import { isTrouble, Trouble } from '../../mail/trouble.ts';
import type { Clock } from '../../platform/clock.ts';
import { randomFromPool } from '../../platform/random.ts';
import type { Handlers, Link } from '../../platform/link.ts';
import type { Entry, QueueIntake } from '../../queue/intake.ts';
import { inlineBodyBytes, type Spool } from '../../spool/ports.ts';
import { openUploads } from './uploads.ts';

type AcceptOnLink = {
  readonly id: MessageId;
  readonly envelope: Envelope;
  readonly arrival: Arrival;
  /** The body was uploaded before; else it comes along. */
  readonly uploaded: boolean;
};

/** A door gives up waiting for the disk after so long and says 451. */
const acceptTimeoutMs = 60_000;

/** The door's side: small bodies wait in memory, at most `inlineBodyBytes` each; large ones go over as they come. */
export function linkedIntake(link: () => Link | undefined, clock: Clock): Intake {
  const ask = (method: string, args: unknown, bytes?: Uint8Array) => {
    const to = link();
    if (to === undefined) throw new Trouble('link-down', noQueue);
    return to.request(method, args, { bytes, timeoutMs: acceptTimeoutMs });
  };
  return {
    begin(): IncomingLetter {
      const id = makeMessageId(clock.now(), randomFromPool(randomBytesWanted));
      let chunks: Uint8Array[] = [];
      let held = 0;
      /** The last step of the upload: each waits for the one before. */
      let upload: Promise<void> | undefined;
      const passOn = (): Promise<void> => {
        const opened = upload ?? ask('upload.open', { id }).then(nothing);
        const whole = joined(chunks, held);
        chunks = [];
        held = 0;
        upload = opened.then(async () => {
          for (const part of split(whole)) await ask('upload.write', { id }, part);
        });
        return upload;
      };
      return {
        id,
        async write(chunk) {
          if (chunks.length >= mostChunks) chunks = [Buffer.concat(chunks, held)];
          chunks.push(chunk);
          held += chunk.byteLength;
          if (held > (upload === undefined ? inlineBodyBytes : pieceBytes)) await passOn();
        },
        async accept(envelope, arrival) {
          // The door does not wait for its last write; what is uploaded must be whole all the same.
          const uploaded = upload !== undefined;
          if (uploaded) await passOn();
          const args: AcceptOnLink = { id, envelope, arrival, uploaded };
          await ask('accept', args, uploaded ? undefined : joined(chunks, held));
          return id;
        },
        abandon() {
          chunks = [];
          if (upload !== undefined) link()?.notify('upload.abandon', { id });
        },
      };
    },
  };
}

const nothing = (): void => undefined;

const noQueue = {
  tryAgain: true,
  peer: 'queue is not running (#4.3.0)',
  detail: 'no link to the queue',
} as const;

const joined = (chunks: readonly Uint8Array[], bytes: number): Uint8Array =>
  chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes);

/** No frame carries more than this. */
const partBytes = 256 * 1024;

/**
 * A client that sends a byte at a time must cost neither a buffer a byte nor a question to the queue: so
 * many chunks are put together, and so many bytes go over at once.
 */
const mostChunks = 32;
const pieceBytes = 16 * 1024;

function* split(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.byteLength; at += partBytes) yield chunk.subarray(at, at + partBytes);
}

export type IntakeServer = {
  /** Handlers for one door's link; what it leaves half uploaded goes with it. */
  handlersFor(link: () => Link): Handlers;
};

/** The queue's side. A door is not trusted: what it says is checked, and uploads are its own. */
export function serveIntake(
  intake: QueueIntake,
  spool: Spool,
  /** Why no letter can be taken now: said at once, before a byte of it is written. */
  refusal: () => Trouble | undefined = () => undefined,
): IntakeServer {
  const refuse = (): void => {
    const trouble = refusal();
    if (trouble !== undefined) throw trouble;
  };
  return {
    handlersFor(link) {
      const uploads = openUploads(spool, link);
      return {
        'upload.open': async (args) => {
          refuse();
          const { id } = args as { id: string };
          refuseOddId(id);
          await uploads.open(id);
        },
        'upload.write': async (args, bytes) => {
          const writer = await uploads.writerOf((args as { id: string }).id);
          await writer.write(bytes ?? new Uint8Array(0));
        },
        'upload.abandon': async (args) => uploads.abandon((args as { id: string }).id),
        accept: async (args, bytes) => {
          const { uploaded, ...letter } = toAccept(args);
          if (uploaded) {
            const body = await uploads.take(letter.id);
            await acceptLarge({ ...letter, body }, intake, spool);
          } else {
            refuse();
            const body = await spool.stage(letter.id, bytes ?? new Uint8Array(0));
            await intake.accept({ ...letter, body });
          }
        },
      };
    },
  };
}

/** What a full log surely does not name goes at once: a full disk must not get fuller. */
export async function acceptLarge(entry: Entry, intake: QueueIntake, spool: Spool): Promise<void> {
  try {
    await intake.accept(entry);
  } catch (cause) {
    if (isTrouble(cause, 'log-full')) await spool.remove([entry.id]);
    throw cause;
  }
}

const acceptShape = z.object({
  id: z.string(),
  envelope: z.object({ returnPath: z.string(), recipients: z.array(z.string()) }),
  arrival: z.looseObject({ protocol: z.string() }),
  uploaded: z.boolean(),
});

function toAccept(args: unknown): AcceptOnLink {
  refuseOddId((args as Partial<AcceptOnLink> | undefined)?.id);
  const { success, data } = acceptShape.safeParse(args);
  if (success) return data as AcceptOnLink;
  throw new Trouble('refused', { tryAgain: false, peer: 'odd envelope (#5.3.5)' });
}

function refuseOddId(id: unknown): void {
  if (typeof id === 'string' && isMessageId(id)) return;
  throw new Trouble('refused', { tryAgain: false, peer: 'odd message id (#5.3.5)' });
}
