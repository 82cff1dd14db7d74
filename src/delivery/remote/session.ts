/**
 * One SMTP connection after its greeting: bytes out, replies in, and death noticed.
 * Nodemailer's SMTPConnection brought it up and still watches the socket (timeouts, errors, close);
 * the dialogue from here on is ours, because the library trims and refuses some addresses that SMTP
 * allows, and does not tell before from after the final dot.
 */
import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { Clock, Instant } from '../../platform/clock.ts';
import type { SmtpReply } from './replies.ts';
import { replyReader } from './replies.ts';
import type { Peer } from './verdicts.ts';

export type Extensions = {
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  readonly size: boolean;
};

export type SessionParts = {
  readonly connection: SMTPConnection;
  readonly socket: Socket;
  readonly peer: Peer;
  readonly extensions: Extensions;
  readonly clock: Clock;
  /** How long one reply may take from question to last byte. */
  readonly replyLimitMs: number;
};

export class Session {
  readonly peer: Peer;
  readonly extensions: Extensions;
  /** Transactions begun. */
  letters = 0;
  /** The last transaction was left half-way: RSET comes before the next. */
  needsReset = false;
  readonly #parts: SessionParts;
  readonly #reader = replyReader();
  readonly #replies: SmtpReply[] = [];
  #waiting: ((reply: SmtpReply | undefined) => void) | undefined;
  #askedAt: Instant = 0;
  #draining: (() => void) | undefined;
  #dead = false;
  #leaving = false;
  #idle: (() => void) | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.peer = parts.peer;
    this.extensions = parts.extensions;
    const { connection, socket } = parts;
    // Silence (its socketTimeout), resets and closes all end here.
    connection.on('error', () => this.#die());
    connection.on('end', () => this.#die());
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('drain', () => this.#draining?.());
  }

  /** Whether another letter may be tried on it: it lives, and has not said 421. */
  get usable(): boolean {
    return !this.#dead && !this.#leaving;
  }

  /** Writes a command. After death it does nothing: the next `reply` tells. */
  send(text: string): void {
    if (!this.#dead) this.#parts.socket.write(text, 'utf8');
  }

  /** Writes the parts in one packet where they fit; false when the connection is gone. */
  write(...parts: readonly Uint8Array[]): boolean {
    if (this.#dead) return false;
    const { socket } = this.#parts;
    socket.cork();
    for (const part of parts) if (part.length > 0) socket.write(part);
    socket.uncork();
    return true;
  }

  /** Resolves when more may be written, or when the connection is gone. */
  async drained(): Promise<void> {
    if (this.#dead || !this.#parts.socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => (this.#draining = resolve));
    this.#draining = undefined;
  }

  /** The next reply; `undefined` when the connection died, or took too long, before it was complete. */
  reply(): Promise<SmtpReply | undefined> {
    const ready = this.#replies.shift();
    if (ready !== undefined || this.#dead) return Promise.resolve(ready);
    this.#askedAt = this.#parts.clock.steady();
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** The connection goes to rest; `onEnd` is called if the far side ends it, or says anything at all. */
  rest(onEnd: () => void): void {
    this.#idle = onEnd;
  }

  wake(): void {
    this.#idle = undefined;
  }

  /** Says goodbye and does not wait for the answer, as qmail-remote. */
  quit(): void {
    this.send('QUIT\r\n');
    this.close();
  }

  /** Ends it now, whatever is under way. */
  close(): void {
    this.#parts.connection.close();
    this.#die();
  }

  #hear(chunk: Buffer): void {
    if (this.#dead) return;
    const replies = this.#reader.push(chunk.toString('latin1'));
    // Nobody asked: a 421 before an idle connection is closed, or worse. A reply that never ends
    // would hold its slot for good, since each byte of it starts the socket's timeout anew.
    if (replies === undefined || this.#idle !== undefined || this.#tookTooLong()) {
      return this.close();
    }
    for (const reply of replies) {
      if (reply.code === 421) this.#leaving = true;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting === undefined) this.#replies.push(reply);
      else waiting(reply);
    }
  }

  #tookTooLong(): boolean {
    const { clock, replyLimitMs } = this.#parts;
    return this.#waiting !== undefined && clock.steady() - this.#askedAt > replyLimitMs;
  }

  #die(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#waiting?.(undefined);
    this.#waiting = undefined;
    this.#draining?.();
    this.#idle?.();
    this.#idle = undefined;
  }
}
