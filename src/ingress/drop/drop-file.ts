/**
 * A letter as a file of the drop box: head, the message as the program wrote it, its envelope in JSON,
 * and a foot of fixed size with the sizes of both and the digest of all before it. A file without its
 * foot, or with another digest, is one that nobody has finished.
 */
import { createHash } from 'node:crypto';

export type DropEnvelope = {
  /** Of the process that put it there: what it says of itself. */
  readonly pid: number;
  /** Who that process says its user is. */
  readonly user: string;
  readonly sender: string;
  readonly recipients: readonly string[];
};

export type DropFoot = {
  readonly messageBytes: number;
  readonly envelopeBytes: number;
  readonly sha256: Buffer;
};

export const dropHead = Buffer.from('waybill drop 1\n');
const end = Buffer.from(' waybill\n');

const sizesBytes = 12;
const digestBytes = 32;
export const footBytes = sizesBytes + digestBytes + end.length;

/** What one event's envelope can take (`incoming.ts`), in UTF-8, escaped. */
export const maxEnvelopeBytes = 32 * 1024 * 1024;

/** Longer names or others are none of ours; drawn by chance, so that nobody waits for one. */
export const dropName = /^[0-9a-f]{32}$/;

/** Read by the engine's group, once it is complete; by nobody but its owner before. */
export const modes = { writing: 0o600, complete: 0o640 } as const;

/** Makes the file's pieces in their order; the digest runs along. */
export function dropWriter() {
  const hash = createHash('sha256').update(dropHead);
  let messageBytes = 0;
  return {
    message(chunk: Uint8Array): Uint8Array {
      messageBytes += chunk.byteLength;
      hash.update(chunk);
      return chunk;
    },
    /** Envelope and foot: there is no more. */
    end(envelope: DropEnvelope): Buffer {
      const json = Buffer.from(JSON.stringify(envelope));
      const sizes = Buffer.alloc(sizesBytes);
      sizes.writeBigUInt64BE(BigInt(messageBytes), 0);
      sizes.writeUInt32BE(json.byteLength, 8);
      const sha256 = hash.update(json).update(sizes).digest();
      return Buffer.concat([json, sizes, sha256, end]);
    },
  };
}

/** The foot of a file of `size` bytes, from its last `footBytes`; `undefined` when it is none. */
export function readFoot(foot: Uint8Array, size: number): DropFoot | undefined {
  const bytes = Buffer.from(foot.buffer, foot.byteOffset, foot.byteLength);
  if (bytes.length !== footBytes || !bytes.subarray(-end.length).equals(end)) return undefined;
  const messageBytes = Number(bytes.readBigUInt64BE(0));
  const envelopeBytes = bytes.readUInt32BE(8);
  const whole = dropHead.length + messageBytes + envelopeBytes + footBytes;
  if (whole !== size || envelopeBytes > maxEnvelopeBytes) return undefined;
  const sha256 = Buffer.from(bytes.subarray(sizesBytes, sizesBytes + digestBytes));
  return { messageBytes, envelopeBytes, sha256 };
}

/** The digest that the foot should have, of the pieces as they are read again. */
export function dropDigest(head: Uint8Array, { messageBytes, envelopeBytes }: DropFoot) {
  const sizes = Buffer.alloc(sizesBytes);
  sizes.writeBigUInt64BE(BigInt(messageBytes), 0);
  sizes.writeUInt32BE(envelopeBytes, 8);
  const hash = createHash('sha256').update(head);
  return {
    message: (chunk: Uint8Array): void => void hash.update(chunk),
    end: (envelope: Uint8Array): Buffer => hash.update(envelope).update(sizes).digest(),
  };
}

/** `undefined` for what is none. Addresses are looked at by whoever takes the letter. */
export function readEnvelope(json: Uint8Array): DropEnvelope | undefined {
  const { pid, user, sender, recipients } = parsed(json) ?? {};
  if (typeof sender !== 'string' || !Array.isArray(recipients)) return undefined;
  return {
    pid: Number.isSafeInteger(pid) ? pid! : 0,
    user: typeof user === 'string' ? user.slice(0, 200) : '',
    ...{ sender, recipients },
  };
}

function parsed(json: Uint8Array): Partial<DropEnvelope> | null {
  try {
    return JSON.parse(Buffer.from(json).toString('utf8')) as Partial<DropEnvelope> | null;
  } catch {
    return null;
  }
}
