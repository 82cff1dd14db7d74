/**
 * What comes from the client: command lines and, in between, letters.
 * It takes the place of smtp-server's own parser, whose letters go through a stream each, whose
 * dots cost a turn of the event loop each, and which forgets how a line ended.
 *
 * A command ends in LF, as in qmail; the CR before it is optional. That is safe because the end of
 * a letter is not: only CRLF `.` CRLF ends one (data-decoder.ts), so whatever stands behind it was
 * written by the client itself, not by the author of a letter. The one place where a bare LF could
 * make two programs disagree on where a letter begins is DATA with more bytes behind it: refused.
 */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';

/** A number of bytes eaten, now or once there is room for more. */
export type Eaten = number | Promise<number>;

export interface WireEars {
  /** Bytes have come; false: nobody wants them. */
  heard(): boolean;
  /** Whether a letter is coming in. */
  inLetter(): boolean;
  /** A command line without its end. `more`: something is pipelined behind it. */
  command(line: Buffer, facts: { bareLf: boolean; more: boolean }): void | Promise<void>;
  letter(chunk: Buffer): Eaten;
  tooLong(): void;
  /** Input has run out, for now: what was said must go out. */
  pause(): void;
  /** The client will say no more. */
  ended(): void;
  broken(cause: unknown): void;
}

const CR = 13;
const LF = 10;

/** So many commands of one chunk, then the others have their turn. */
const commandsAtOnce = 100;

type Next = () => void;

export class WireReader extends SMTPStream {
  readonly #ears: WireEars;
  readonly #maxLine: number;
  /** A command whose end has not come, at most `maxLine` bytes. */
  #partial: Buffer | undefined;

  constructor(ears: WireEars, maxLine: number) {
    super({ decodeStrings: false });
    this.#ears = ears;
    this.#maxLine = maxLine;
  }

  override _write(chunk: Buffer, _encoding: string, next: Next): void {
    if (!this.isClosed && this.#ears.heard()) this.#read(chunk, 0, next);
    else next();
  }

  /** What stands at the end without a line end is no command. */
  override _flushData(): void {
    if (!this.isClosed) this.#ears.ended();
  }

  #read(chunk: Buffer, start: number, next: Next): void {
    let at = start;
    try {
      for (let commands = 0; at < chunk.length && !this.isClosed; commands += 1) {
        if (commands === commandsAtOnce) {
          setImmediate(() => this.#read(chunk, at, next));
          break;
        }
        const eaten = this.#ears.inLetter()
          ? this.#ears.letter(at === 0 ? chunk : chunk.subarray(at))
          : this.#command(chunk, at);
        if (typeof eaten !== 'number') {
          this.#ears.pause();
          this.#resume(eaten, chunk, at, next);
          return;
        }
        at += eaten;
      }
    } catch (cause) {
      this.#ears.broken(cause);
      at = chunk.length;
    }
    this.#ears.pause();
    if (at >= chunk.length || this.isClosed) next();
  }

  #resume(eaten: Promise<number>, chunk: Buffer, at: number, next: Next): void {
    eaten.then(
      (count) => this.#read(chunk, at + count, next),
      (cause: unknown) => {
        this.#ears.broken(cause);
        next();
      },
    );
  }

  #command(chunk: Buffer, at: number): Eaten {
    const lf = chunk.indexOf(LF, at);
    const next = lf < 0 ? chunk.length : lf + 1;
    const size = (this.#partial?.length ?? 0) + next - at;
    if (size > this.#maxLine) {
      this.#partial = undefined;
      this.#ears.tooLong();
      return next - at;
    }
    const piece = chunk.subarray(at, next);
    const line = this.#partial ? Buffer.concat([this.#partial, piece]) : piece;
    if (lf < 0) {
      // Copied, so that a few bytes do not hold on to the whole chunk.
      this.#partial = Buffer.from(line);
      return next - at;
    }
    this.#partial = undefined;
    const bareLf = line[line.length - 2] !== CR;
    const facts = { bareLf, more: next < chunk.length };
    const done = this.#ears.command(line.subarray(0, line.length - (bareLf ? 1 : 2)), facts);
    return done === undefined ? next - at : done.then(() => next - at);
  }
}
