/**
 * One letter on its way in, from 354 to the reply after the dot.
 * Bytes go on as they come and nothing is kept; once the letter is refused they are read to the end
 * and thrown away. Our Received field leads the body.
 */
import { hopCounter, maxHops } from '../../mail/hops.ts';
import { messageIdReader } from '../../mail/header-message-id.ts';
import { normalizeNewlines } from '../../mail/newlines.ts';
import type { Arrival } from '../../mail/envelope.ts';
import type { Moment } from '../../platform/clock.ts';
import { sizeLimit } from '../accept.ts';
import type { IncomingLetter } from '../ports.ts';
import { formatReceived } from '../received.ts';
import { DataDecoder } from './data-decoder.ts';
import { accepted, replies, troubleReply } from './replies.ts';
import type { Reply } from './replies.ts';
import { protocolOf, refused } from './session.ts';
import type { Session, Transaction } from './session.ts';

export type Intaken = {
  /** Bytes of the chunk that belong to the letter and its end. */
  readonly taken: number;
  readonly ended: boolean;
  /** Resolves when more may come; never rejects. Absent: at once. */
  readonly wait?: Promise<void>;
};

export class IncomingData {
  readonly #session: Session;
  readonly #transaction: Transaction;
  readonly #letter: IncomingLetter;
  readonly #decoder = new DataDecoder();
  readonly #hops = hopCounter();
  readonly #messageId = messageIdReader();
  readonly #newlines: ReturnType<typeof normalizeNewlines> | undefined;
  readonly #limit: number;
  readonly #until: Moment;
  /** Goes before the first bytes, in the same write. */
  #received: string | undefined;
  /** The write under way; the last one is not waited for before `accept`. */
  #written: Promise<void> | undefined;
  #trouble: Reply | undefined;
  #state: 'open' | 'abandoned' | 'accepting' = 'open';

  constructor(session: Session, transaction: Transaction, letter: IncomingLetter) {
    const { parts, client } = session;
    const rules = parts.rules();
    const at = parts.clock.now();
    this.#session = session;
    this.#transaction = transaction;
    this.#letter = letter;
    this.#newlines = parts.bareNewlines === 'normalize' ? normalizeNewlines() : undefined;
    this.#limit = sizeLimit(rules, client.rights);
    this.#until = parts.clock.steady() + parts.letterTimeoutMs;
    this.#received = formatReceived({
      ...{ protocol: protocolOf(session), host: client.host, helo: session.helo },
      ...{ info: client.info, ip: client.ip, me: rules.me, id: letter.id, at },
    });
  }

  /** Whether the client drips so slowly that it only holds a place (asked at each chunk). */
  get overdue(): boolean {
    return this.#session.parts.clock.steady() > this.#until;
  }

  push(chunk: Uint8Array): Intaken {
    const { content, end } = this.#decoder.push(chunk);
    const ended = end >= 0;
    const taken = ended ? end : chunk.length;
    if (!this.#hops.headerEnded) this.#hops.push(ended ? chunk.subarray(0, end) : chunk);
    if (this.#refusal() !== undefined) this.abandon();
    if (this.#state !== 'open') return { taken, ended };

    this.#messageId.push(content);
    const body = this.#withReceived(this.#newlines ? this.#newlines.push(content) : content);
    if (body.length === 0) return { taken, ended };
    const written = this.#letter.write(body);
    this.#written = written;
    if (ended) {
      // `accept` waits for it; until then nobody listens.
      written.catch(() => undefined);
      return { taken, ended };
    }
    return { taken, ended, wait: written.catch((cause: unknown) => this.#fail('write', cause)) };
  }

  /** After the end: accepts the letter, or says why not. Never rejects. */
  finish(): Reply | Promise<Reply> {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.abandon();
      return this.#refused(refusal);
    }
    this.#state = 'accepting';
    return this.#accept().catch((cause: unknown) => {
      this.#fail('accept', cause);
      return this.#refused(troubleReply(cause));
    });
  }

  /** The client went away, or we do not want the letter. Once it is being accepted, it is accepted. */
  abandon(): void {
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    this.#letter.abandon();
  }

  async #accept(): Promise<Reply> {
    const { returnPath, recipients } = this.#transaction;
    // Not waited for: an intake a process away then hears write and accept in one go.
    const written = this.#written;
    const accepting = this.#letter.accept({ returnPath, recipients }, this.#arrival());
    // Should the write fail, no 250: the worst that can follow is a letter that comes twice.
    const [id] = await Promise.all([accepting, written]);
    this.#session.fruitless = 0;
    return accepted(id);
  }

  #arrival(): Arrival {
    const { client, helo, tls, parts } = this.#session;
    const { bytes, lines } = this.#decoder;
    return {
      ...{ protocol: protocolOf(this.#session), peer: client.peer },
      ...{ door: parts.name, size: bytes - lines },
      ...(client.host !== undefined && { peerHost: client.host }),
      ...(helo !== undefined && { helo }),
      ...(tls && { tls }),
      ...(this.#messageId.found !== undefined && { messageId: this.#messageId.found }),
      ...(this.#decoder.eightBit && { eightBit: true }),
      ...(this.#transaction.utf8 && { utf8: true }),
    };
  }

  /** In qmail's order: too many hops before too many bytes. */
  #refusal(): Reply | undefined {
    const { bare, bytes, lines } = this.#decoder;
    if (bare && this.#newlines === undefined) return replies.bareNewline;
    if (this.#hops.hops >= maxHops) return replies.tooManyHops;
    if (bytes - lines > this.#limit) return replies.tooLarge;
    return this.#trouble;
  }

  #refused(reply: Reply): Reply {
    return refused({ ...this.#session, transaction: this.#transaction }, reply);
  }

  #withReceived(content: Uint8Array): Uint8Array {
    if (this.#received === undefined) return content;
    // ASCII throughout: maskUnsafe saw to it.
    const head = Buffer.from(this.#received, 'latin1');
    this.#received = undefined;
    return Buffer.concat([head, content]);
  }

  #fail(what: string, cause: unknown): void {
    this.#session.parts.report(what, cause);
    this.#trouble = troubleReply(cause);
    this.abandon();
  }
}
