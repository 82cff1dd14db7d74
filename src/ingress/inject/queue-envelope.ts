/**
 * The envelope as qmail-queue reads it on descriptor 1: `F` sender NUL, then `T` recipient NUL for each
 * recipient, then NUL. What follows is not read. Reads and writes; pure.
 */

export type QueueEnvelope = { readonly sender: string; readonly recipients: readonly string[] };

/** qmail-queue's exit codes for an envelope that is none. */
export type EnvelopeMistake = {
  /** 11 address too long · 54 ends too early · 91 no `F` or `T` where one must be · 31 cannot be kept. */
  readonly exit: 11 | 54 | 91 | 31;
};

export interface EnvelopeReader {
  /** The envelope or a mistake, once known. */
  push(chunk: Uint8Array): QueueEnvelope | EnvelopeMistake | undefined;
  /** There is no more. */
  end(): EnvelopeMistake;
}

export const isMistake = (read: QueueEnvelope | EnvelopeMistake): read is EnvelopeMistake =>
  'exit' in read;

/** Longest address, in bytes. */
const addressBytes = 1_002;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function envelopeReader(): EnvelopeReader {
  const recipients: string[] = [];
  let sender: string | undefined;
  /** The record so far: its letter, then the address. */
  let record: number[] = [];

  const take = (byte: number): QueueEnvelope | EnvelopeMistake | undefined => {
    if (record.length === 0) {
      if (byte === 0 && sender !== undefined) return { sender, recipients };
      if (byte !== (sender === undefined ? letterF : letterT)) return { exit: 91 };
    } else if (byte === 0) {
      const address = decode(record);
      if (address === undefined) return { exit: 31 };
      if (sender === undefined) sender = address;
      else recipients.push(address);
      record = [];
      return undefined;
    }
    record.push(byte);
    return record.length > addressBytes + 1 ? { exit: 11 } : undefined;
  };
  return {
    push(chunk) {
      for (const byte of chunk) {
        const read = take(byte);
        if (read !== undefined) return read;
      }
      return undefined;
    },
    end: () => ({ exit: 54 }),
  };
}

const letterF = 70;
const letterT = 84;

/** Addresses are text here: bytes that are not UTF-8 are refused rather than kept as something else. */
function decode(record: readonly number[]): string | undefined {
  try {
    return utf8.decode(Uint8Array.from(record.slice(1)));
  } catch {
    return undefined;
  }
}

/** For another program in qmail-queue's place (QMAILQUEUE). No address may hold a NUL. */
export const formatEnvelope = ({ sender, recipients }: QueueEnvelope): Buffer =>
  Buffer.from(`F${sender}\0${recipients.map((recipient) => `T${recipient}\0`).join('')}\0`);
