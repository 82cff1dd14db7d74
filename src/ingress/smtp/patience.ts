/**
 * How long a client may keep us waiting. A crowd that says nothing, or a byte a second, must not hold the
 * places of those who have mail: as with Postfix (smtpd_per_request_deadline, smtpd_min_data_rate, and its
 * shorter smtpd_timeout under stress), single bytes buy no time, and a door that is nearly full waits less.
 */
import type { Moment } from '../../platform/clock.ts';
import type { SmtpSettings } from './settings.ts';

/** In milliseconds. */
export type Patience = {
  /** From the first byte of a TLS handshake to its last. */
  readonly handshakeMs: number;
  /** For the next command, outside of a transaction. */
  readonly idleMs: number;
  /** For the next command, from MAIL to DATA. */
  readonly envelopeMs: number;
  /** How far a letter may fall behind the pace. */
  readonly letterMs: number;
  /** From MAIL to 354. */
  readonly transactionMs: number;
  /** Whether lost time adds up over commands; else each complete command starts anew (RFC 5321 §4.5.3.2.7). */
  readonly addsUp: boolean;
};

export type Patiences = {
  readonly calm: Patience;
  /** When places run short, for strangers. */
  readonly busy: Patience;
};

/** No honest handshake takes longer. */
const longestHandshakeMs = 60_000;

export function patiencesOf(settings: SmtpSettings): Patiences {
  const { timeoutMs, idleTimeoutMs, busyTimeoutMs, letterTimeoutMs } = settings;
  const idleMs = Math.min(timeoutMs, idleTimeoutMs);
  const busyMs = Math.min(idleMs, busyTimeoutMs);
  return {
    calm: {
      ...{ handshakeMs: Math.min(idleMs, longestHandshakeMs), idleMs, letterMs: idleMs },
      ...{ envelopeMs: timeoutMs, transactionMs: letterTimeoutMs, addsUp: false },
    },
    busy: {
      ...{ handshakeMs: Math.min(busyMs, longestHandshakeMs), idleMs: busyMs },
      // Under load an honest client may lose a packet or two in the middle of its letter.
      ...{ envelopeMs: Math.min(idleMs, 3 * busyMs), letterMs: Math.min(idleMs, 3 * busyMs) },
      ...{ transactionMs: letterTimeoutMs, addsUp: true },
    },
  };
}

/** So much lost time is given back for each complete command. */
const perCommandMs = 5_000;

/** How much of our time a client has wasted so far. */
export class Lateness {
  readonly #bytesPerSecond: number;
  /** Since when it is the client's turn. */
  #since: Moment;
  /** Lost before that, in milliseconds. */
  #lost = 0;

  /** `bytesPerSecond`: the pace of a letter; 0 for any pace, as long as something comes. */
  constructor(bytesPerSecond: number, now: Moment) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#since = now;
  }

  /** Since the last command or piece of a letter. */
  silence(now: Moment): number {
    return now - this.#since;
  }

  total(now: Moment): number {
    return this.#lost + now - this.#since;
  }

  command(now: Moment): void {
    this.#payBack(perCommandMs, now);
  }

  piece(bytes: number, now: Moment): void {
    this.#payBack((bytes * 1000) / this.#bytesPerSecond, now);
  }

  /** What went by until now was our own time. */
  resume(now: Moment): void {
    this.#since = now;
  }

  /** A letter begins, or is through. */
  forgive(now: Moment): void {
    this.#since = now;
    this.#lost = 0;
  }

  #payBack(ms: number, now: Moment): void {
    this.#lost = Math.max(0, this.total(now) - ms);
    this.#since = now;
  }
}
