/**
 * What `start` and a role say to each other: messages of a line of JSON each, over a pair of sockets. A role that
 * somebody broke into can write what it likes there, and must not end, nor fill, the one process that keeps all
 * others alive: what is no message is told, and forgotten. (Node's own channel keeps a line until it ends,
 * however long it is, and throws what is no JSON out of anybody's reach.)
 */
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface RoleChannel<Said> {
  readonly isOpen: boolean;
  /** Lost where nobody hears it: the end of the channel says so, too. */
  send(message: Said): void;
  /** Ends it when all is said. */
  close(): void;
}

export type ChannelEars<Heard> = {
  readonly hear: (message: Heard) => void;
  /** Something came that is no message. May be called often. */
  readonly onTrouble: (cause: Error) => void;
  /** The far side is gone. */
  readonly onEnd?: () => void;
  /** Longest line, in bytes; what is longer is thrown away up to its end. Default: none is too long. */
  readonly mostBytes?: number;
};

/** Longest message of a role: its kind, and a few words. */
export const mostOfARole = 64 * 1024;

/** A role's end of it, by the order of `stdio` in `start`. */
export const channelFd = 3;

export function channelToStart(): Duplex {
  if (!isSocket(channelFd)) throw new Error('a role is started by `waybill serve` only');
  return new Socket({ fd: channelFd });
}

export function openRoleChannel<Heard, Said>(
  stream: Duplex,
  { hear, onTrouble, onEnd, mostBytes = Infinity }: ChannelEars<Heard>,
): RoleChannel<Said> {
  const lines = new Lines(mostBytes);
  stream.on('data', (chunk: Buffer) => {
    for (const line of lines.push(chunk)) {
      const message = line === tooLong ? undefined : toMessage(line);
      if (message !== undefined) hear(message as Heard);
      else onTrouble(new Error(line === tooLong ? 'a line without an end' : 'no JSON'));
    }
  });
  stream.on('error', () => stream.destroy());
  stream.on('end', () => stream.destroy());
  if (onEnd !== undefined) stream.once('close', onEnd);
  return {
    get isOpen() {
      return stream.writable;
    },
    send(message) {
      if (stream.writable) stream.write(`${JSON.stringify(message)}\n`);
    },
    close: () => void stream.end(() => stream.destroy()),
  };
}

/** Said once of a line, where it is cut. */
export const tooLong = Symbol('a line that is too long');

const lineFeed = 0x0a;

/** Cuts bytes into lines, and never holds more than one of them. */
export class Lines {
  readonly #most: number;
  #pieces: Buffer[] = [];
  #held = 0;
  /** The rest of a line that was cut is on its way. */
  #skipping = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes of the line that has not ended yet. */
  get held(): number {
    return this.#held;
  }

  *push(chunk: Buffer): Generator<string | typeof tooLong> {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      if (this.#keep(chunk.subarray(from, end))) yield tooLong;
      if (!this.#skipping) yield Buffer.concat(this.#pieces).toString('utf8');
      this.#forget();
      this.#skipping = false;
      from = end + 1;
    }
    if (this.#keep(chunk.subarray(from))) yield tooLong;
  }

  /** Whether the line has just become too long. */
  #keep(piece: Buffer): boolean {
    if (this.#skipping) return false;
    this.#pieces.push(piece);
    this.#held += piece.length;
    if (this.#held <= this.#most) return false;
    this.#forget();
    return (this.#skipping = true);
  }

  #forget(): void {
    this.#pieces = [];
    this.#held = 0;
  }
}

/** `undefined`: it is none. */
function toMessage(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
