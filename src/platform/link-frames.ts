/**
 * What crosses a link, as bytes.
 *
 * Frame: u32 length of the rest, u32 length of the JSON, JSON, bytes (big-endian).
 */
import type { Duplex } from 'node:stream';
import { isTrouble, Trouble, type TroubleCode } from '../mail/trouble.ts';
import type { LinkLimits } from './link.ts';

/** A question, a notice, a question taken back, its answer, or its error. */
export type Frame =
  | { readonly k: 'q'; readonly i: number; readonly m: string; readonly a?: unknown }
  | { readonly k: 'n'; readonly m: string; readonly a?: unknown }
  | { readonly k: 'x'; readonly i: number }
  | { readonly k: 'r'; readonly i: number; readonly v?: unknown }
  | {
      readonly k: 'e';
      readonly i: number;
      readonly c: TroubleCode;
      readonly t: boolean;
      readonly p: string;
      readonly d: string;
    };

/** Words for ourselves, of any length. */
const detailChars = 1_000;

export function toErrorFrame(i: number, cause: unknown): Frame {
  if (isTrouble(cause)) {
    const { code, tryAgain, peer, message } = cause;
    return { k: 'e', i, c: code, t: tryAgain, p: peer, d: message.slice(0, detailChars) };
  }
  const detail = cause instanceof Error ? cause.message : String(cause);
  const words = detail.slice(0, detailChars);
  return { k: 'e', i, c: 'refused', t: true, p: 'internal error (#4.3.0)', d: words };
}

/** Puts frames onto a stream. */
export class FrameWriter {
  readonly #stream: Duplex;
  readonly #limits: LinkLimits;
  #corked = false;

  constructor(stream: Duplex, limits: LinkLimits) {
    this.#stream = stream;
    this.#limits = limits;
  }

  /**
   * Everything said in one turn of the loop goes out in one write. Throws before anything is written:
   * what cannot be said in JSON, or is more than the far side takes (it would cut the link for all).
   */
  send(frame: Frame, bytes: Uint8Array | undefined): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    const json = JSON.stringify(frame);
    const jsonBytes = Buffer.byteLength(json);
    const bodyBytes = bytes?.byteLength ?? 0;
    if (jsonBytes > this.#limits.jsonBytes || bodyBytes > this.#limits.bodyBytes) {
      throw new Trouble('too-large', tooLarge(jsonBytes, bodyBytes));
    }
    if (!this.#corked) {
      this.#corked = true;
      stream.cork();
      setImmediate(() => {
        this.#corked = false;
        stream.uncork();
      });
    }
    const head = Buffer.allocUnsafe(8 + jsonBytes);
    head.writeUInt32BE(4 + jsonBytes + bodyBytes, 0);
    head.writeUInt32BE(jsonBytes, 4);
    head.write(json, 8, 'utf8');
    stream.write(head);
    if (bytes !== undefined && bodyBytes > 0) stream.write(bytes);
  }
}

const tooLarge = (jsonBytes: number, bodyBytes: number) => ({
  tryAgain: false,
  peer: 'too large (#5.3.4)',
  detail: `${jsonBytes} + ${bodyBytes} bytes are more than a link carries at once`,
});

/** Cuts a byte stream into frames, copying only what spans two chunks. */
export class FrameParser {
  readonly #limits: LinkLimits;
  #parts: Buffer[] = [];
  #have = 0;
  /** Bytes needed before anything can be done. */
  #need = 8;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer, hear: (frame: unknown, bytes: Uint8Array | undefined) => void): void {
    this.#parts.push(chunk);
    this.#have += chunk.byteLength;
    if (this.#have < this.#need) return;
    const all = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#have);
    let at = 0;
    this.#need = 8;
    while (all.byteLength - at >= 8) {
      const rest = all.readUInt32BE(at);
      const json = all.readUInt32BE(at + 4);
      this.#refuseOversize(rest, json);
      if (all.byteLength - at < 4 + rest) {
        this.#need = 4 + rest;
        break;
      }
      const bodyAt = at + 8 + json;
      at += 4 + rest;
      hear(
        JSON.parse(all.toString('utf8', bodyAt - json, bodyAt)),
        at > bodyAt ? all.subarray(bodyAt, at) : undefined,
      );
    }
    this.#parts = at < all.byteLength ? [all.subarray(at)] : [];
    this.#have = all.byteLength - at;
  }

  #refuseOversize(rest: number, json: number): void {
    const body = rest - 4 - json;
    if (json <= this.#limits.jsonBytes && body >= 0 && body <= this.#limits.bodyBytes) return;
    throw new Error(`frame of ${json} + ${body} bytes on a link`);
  }
}
