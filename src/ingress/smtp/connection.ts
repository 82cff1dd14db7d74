/**
 * One connection: smtp-server's, with its care for sockets, STARTTLS and half-closed clients, but
 * with our verbs, our reader and our replies.
 *
 * Memory is bounded whatever the client sends: one command line, the replies to one chunk, one
 * chunk of a letter. What is not read yet waits in the kernel.
 */
import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { SMTPServer } from 'smtp-server';
import type { TlsFacts } from '../../mail/envelope.ts';
import { networkOf } from '../../mail/ip-address.ts';
import type { Moment } from '../../platform/clock.ts';
import type { Guest } from './crowd.ts';
import { obey } from './obey.ts';
import { Lateness } from './patience.ts';
import type { Patience } from './patience.ts';
import { droppedInClear, greeting, replies } from './replies.ts';
import type { Reply } from './replies.ts';
import { newSession, refused } from './session.ts';
import type { Client, Session, SessionParts } from './session.ts';
import { WireReader } from './wire-reader.ts';
import type { Eaten } from './wire-reader.ts';

/** RFC 5321 §4.5.3.1.4 asks for 512, extensions for some more; an address of 899 bytes must fit. */
const maxCommandBytes = 2_048;

/** Replies are held back to go out together, but not more than this many bytes of them. */
const maxUnsaid = 8_192;

export type ConnectionParts = {
  readonly session: SessionParts;
  /** The pace of a letter (`SmtpSettings`). */
  readonly minBytesPerSecond: number;
  /** How long a client must keep quiet before it is greeted. */
  readonly greetingDelayMs: (client: Client) => number;
  readonly isDraining: () => boolean;
  /** The socket is closed. */
  readonly gone: (connection: DoorConnection) => void;
};

let opened = 0;

export class DoorConnection extends SMTPConnection implements Guest {
  readonly network: string;
  readonly trusted: boolean;
  readonly #parts: ConnectionParts;
  readonly #session: Session;
  /** Replies not written yet. */
  #unsaid = '';
  /** The client waits for us: for the directory, or for the log and the spool. */
  #busy = false;
  #cancelGreeting: () => void = nothing;
  readonly #lateness: Lateness;
  /** When the transaction of now began. */
  #begun: Moment = 0;

  constructor(server: SMTPServer, socket: net.Socket, client: Client, parts: ConnectionParts) {
    super(server, socket, { id: String((opened += 1)) });
    this.#parts = parts;
    this.#session = newSession(parts.session, client);
    this.network = networkOf(client.ip);
    this.trusted = client.rights.relay !== undefined;
    this.#lateness = new Lateness(parts.minBytesPerSecond, parts.session.clock.steady());
    if (socket instanceof TLSSocket) this.#session.tls = tlsFacts(socket);
  }

  /** A client that says anything before we do is no mail server (RFC 5321 §4.3.1). */
  override init(): void {
    this._setListeners(() => {
      const { greetingDelayMs, session } = this.#parts;
      const delayMs = greetingDelayMs(this.#session.client);
      if (delayMs <= 0) return this.connectionReady();
      const { clock } = session;
      this.#cancelGreeting = clock.after(delayMs, () => this.connectionReady());
    });
  }

  override connectionReady(): void {
    if (this._closing || this._closed) return;
    this._ready = true;
    this.#lateness.resume(this.#parts.session.clock.steady());
    this.#say(greeting(this.#parts.session.rules().greeting));
    this.#flush();
  }

  overdrawn(patience: Patience, now: Moment): number {
    // Who is about to go, or waits for us, wastes nobody's time.
    if (this._closing || this._closed || this.#busy || !this._ready) return -Infinity;
    const late = this.#lateness;
    if (this._upgrading) return late.silence(now) - patience.handshakeMs;
    const { incoming, transaction } = this.#session;
    if (incoming !== undefined) return late.total(now) - patience.letterMs;
    const spent = patience.addsUp ? late.total(now) : late.silence(now);
    if (transaction === undefined) return spent - patience.idleMs;
    return Math.max(spent - patience.envelopeMs, now - this.#begun - patience.transactionMs);
  }

  idleMs(now: Moment): number | undefined {
    return this._closing || this.#inTransaction() ? undefined : this.#lateness.silence(now);
  }

  dismiss(why: 'late' | 'crowded'): void {
    // Under a handshake nothing can be said: smtp-server closes it gently.
    if (this._upgrading) return this.close();
    const inLetter = this.#session.incoming !== undefined;
    const late = inLetter ? replies.tooSlow : replies.timeout;
    this.#say(refused(this.#session, why === 'late' ? late : replies.crowded));
    // Its place is free already, and may be needed: not even a client that does not listen may keep it.
    // In a letter, closing at once could destroy the reply before it is read: its few seconds it may have.
    if (why === 'crowded' || !inLetter) this._socket.destroySoon();
  }

  /** The door closes: whoever has no letter under way is sent home, the others after theirs. */
  drain(): void {
    if (this._closing || this._upgrading || this.#inTransaction()) return;
    this.#say(replies.closing);
  }

  /** The door is closed: nobody may stay, but nobody is left without a word. */
  end(): void {
    // Under a handshake the socket belongs to the TLS layer: smtp-server closes it gently.
    if (this._upgrading) return this.close();
    this.#say(replies.closing);
    this._socket.destroySoon();
  }

  /** Who does not even take our last words. */
  destroy(): void {
    this._socket.destroy();
  }

  /** smtp-server calls this from its constructor, before there are fields: closures look later. */
  override _createParser(): WireReader {
    return new WireReader(
      {
        heard: () => this.#heard(),
        inLetter: () => this.#session.incoming !== undefined,
        command: (line, facts) => this.#command(line, facts),
        letter: (chunk) => this.#letter(chunk),
        tooLong: () => this.#say(refused(this.#session, replies.lineTooLong)),
        pause: () => this.#flush(),
        ended: () => this.close(),
        broken: (cause) => this.#broken(cause),
      },
      maxCommandBytes,
    );
  }

  /** smtp-server calls it when STARTTLS is through: all we were told in clear is forgotten (RFC 3207 §4.2). */
  override _resetSession(): void {
    const session = this.#session;
    session.helo = session.transaction = undefined;
    session.extended = false;
    this.#lateness.forgive(session.parts.clock.steady());
    if (this._socket instanceof TLSSocket) session.tls = tlsFacts(this._socket);
  }

  /** smtp-server would give every byte another `socketTimeout`; who is slow is seen by the crowd's sweep. */
  override _armTimeout(): void {
    // Nothing to arm.
  }

  override _onClose(): void {
    this.#cancelGreeting();
    this.#session.incoming?.abandon();
    super._onClose();
    this.#parts.gone(this);
  }

  #inTransaction(): boolean {
    const { transaction, incoming } = this.#session;
    return this.#busy || transaction !== undefined || incoming !== undefined;
  }

  #heard(): boolean {
    if (!this._ready) this.#say(refused(this.#session, replies.earlyTalker));
    return this._ready;
  }

  #command(line: Buffer, facts: { bareLf: boolean; more: boolean }): void | Promise<void> {
    const reply = obey(this.#session, toText(line));
    if (reply instanceof Promise) {
      return this.#whileBusy(reply, (late) => this.#answer(late));
    }
    if (reply === replies.goAhead && facts.bareLf && facts.more) {
      this.#session.incoming?.abandon();
      this.#session.incoming = undefined;
      return this.#answer(refused(this.#session, replies.bareLfPipelined));
    }
    // Put there by somebody in between, or by a client that does not wait: nobody knows, so it is on record.
    if (reply.then === 'starttls' && facts.more) refused(this.#session, droppedInClear);
    return this.#answer(reply);
  }

  #letter(chunk: Buffer): Eaten {
    const incoming = this.#session.incoming;
    if (incoming === undefined) return 0;
    this.#lateness.piece(chunk.length, this.#parts.session.clock.steady());
    const { taken, ended, wait } = incoming.push(chunk);
    if (!ended) {
      if (incoming.overdue) this.#say(refused(this.#session, replies.tooSlow));
      return wait === undefined ? taken : this.#whileBusy(wait, () => taken);
    }
    const conclude = (reply: Reply): number => {
      this.#session.incoming = undefined;
      this.#lateness.forgive(this.#parts.session.clock.steady());
      // Behind a letter with bare line ends, nobody knows whose commands these are.
      const suspect = reply === replies.bareNewline && taken < chunk.length;
      this.#say(suspect ? { ...reply, then: 'close' } : reply);
      this.#afterReply();
      return taken;
    };
    const reply = incoming.finish();
    return reply instanceof Promise ? this.#whileBusy(reply, conclude) : conclude(reply);
  }

  #whileBusy<T, U>(work: Promise<T>, then: (value: T) => U | Promise<U>): Promise<U> {
    this.#busy = true;
    return work.then((value) => {
      this.#busy = false;
      this.#lateness.resume(this.#parts.session.clock.steady());
      return then(value);
    });
  }

  #answer(reply: Reply): void | Promise<void> {
    this.#say(reply);
    this.#keepTime(reply);
    if (reply.then === 'starttls') {
      this.#flush();
      // What is pipelined behind it came in clear and dies with the old reader (CVE-2011-0411).
      this.upgrade(() => undefined);
      return undefined;
    }
    this.#afterReply();
    if (this.#unsaid.length > maxUnsaid) this.#flush();
    return this._socket.writableNeedDrain ? this.#drained() : undefined;
  }

  #keepTime(reply: Reply): void {
    const now = this.#parts.session.clock.steady();
    if (reply === replies.goAhead) this.#lateness.forgive(now);
    else this.#lateness.command(now);
    if (reply === replies.senderOk) this.#begun = now;
  }

  #afterReply(): void {
    if (this.#parts.isDraining() && !this._closing && !this.#inTransaction()) {
      this.#say(replies.closing);
    }
  }

  /** A client that sends commands and reads no replies is not read from any more. */
  #drained(): Promise<void> {
    return new Promise((resolve) => this._socket.once('drain', resolve));
  }

  #say(reply: Reply): void {
    if (this._closing || this._closed || this._upgrading) return;
    this.#unsaid += `${reply.text}\r\n`;
    if (reply.then !== 'close') return;
    this.#flush();
    this.close();
  }

  #flush(): void {
    if (this.#unsaid === '') return;
    const text = this.#unsaid;
    this.#unsaid = '';
    if (this._socket.writable) this._socket.write(text, 'latin1');
  }

  #broken(cause: unknown): void {
    this.#busy = false;
    this.#parts.session.report('session', cause);
    this.#say(replies.broken);
  }
}

const nothing = (): void => undefined;

const utf8 = new TextDecoder();

/** Nearly every command is ASCII; of the rest, what is not UTF-8 becomes U+FFFD, which no verb takes. */
function toText(line: Buffer): string {
  const text = line.toString('latin1');
  return /[\x80-\xff]/.test(text) ? utf8.decode(line) : text;
}

const tlsFacts = (socket: TLSSocket): TlsFacts => ({
  protocol: socket.getProtocol() ?? 'unknown',
  cipher: socket.getCipher()?.name ?? 'unknown',
  verified: socket.authorized,
});
