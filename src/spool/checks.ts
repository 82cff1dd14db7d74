/** What every spool refuses, and in which words. */
import { hash } from 'node:crypto';
import type { BodyRef } from '../mail/envelope.ts';
import { Trouble } from '../mail/trouble.ts';

/** Ids are ours, but they become file names: nothing else gets that far. */
export function refuseOddId(id: string): void {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return;
  throw new Trouble('refused', { tryAgain: false, peer: 'odd body id', detail: 'odd body id' });
}

export const refOf = (id: string, bytes: Uint8Array): BodyRef => ({
  id,
  bytes: bytes.byteLength,
  sha256: digestOf(bytes),
});

/** A whole body must be what was stored, byte by byte; a part must at least be all there. */
export function refuseDamaged(
  ref: BodyRef,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  const due = Math.max(0, Math.min(length, ref.bytes - offset));
  const isWhole = due === ref.bytes;
  if (bytes.byteLength === due && (!isWhole || digestOf(bytes) === ref.sha256)) return;
  throw bodyTrouble('body-damaged', `body ${ref.id} is not what was stored`);
}

export const bodyTrouble = (
  code: 'body-missing' | 'body-damaged',
  detail: string,
  cause?: unknown,
): Trouble =>
  new Trouble(code, { tryAgain: true, peer: 'trouble reading message (#4.3.0)', detail, cause });

const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
