/**
 * Proves the log: refolds it from the first event, adds up, compares with the checkpoint on the way, and
 * looks at the bodies of all letters that are not done. Reads only; an engine may go on writing meanwhile.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Agenda } from '../../projections/agenda.ts';
import type { LogReader, Position } from '../log/ports.ts';
import type { BodyRef, MessageId } from '../mail/envelope.ts';
import { messageStream } from '../queue/events.ts';
import { emptyAudit, mostKept, type Audit, type Doubt, type Mistake } from './audit-books.ts';
import { closeAudit, foldAudit, openRecipients, owedBounces } from './audit.ts';
import { checkpointCheck, unlessMoved, type CheckpointResult } from './checkpoint-check.ts';
import { pagesOf } from './pages.ts';
import { readLetter } from './read-letter.ts';

export type VerifyParts = {
  readonly log: LogReader & {
    readBody?(stream: string): Uint8Array | undefined;
    /** What is wrong with the file's own structure (indexes, free pages), a line each. */
    check?(): readonly string[];
  };
  /** The bytes of the checkpoint, where there is one. */
  readonly checkpoint: Uint8Array | undefined;
  /** Path of the file in which a large body lies. */
  readonly bodyFile: (id: string) => string;
  /** Where bodies are neither in the log nor in files: their bytes. */
  readonly body?: (ref: BodyRef) => AsyncIterable<Uint8Array>;
  /** How far it is: with the events first, then with the bodies; the file's structure is one step. */
  readonly onProgress?: (done: number, of: number, what: VerifyPhase) => void;
  /** Called now and then, and waited for: time for others. */
  readonly rest?: () => Promise<void>;
};

export type VerifyPhase = 'events' | 'bodies' | 'structure';

export type Verification = {
  readonly ok: boolean;
  readonly position: Position;
  readonly events: number;
  readonly letters: { readonly accepted: number; readonly done: number; readonly open: number };
  readonly recipients: {
    readonly accepted: number;
    readonly delivered: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly open: number;
    readonly balanced: boolean;
  };
  readonly attempts: number;
  readonly bounces: { readonly queued: number; readonly discarded: number; readonly owed: number };
  readonly checkpoint: CheckpointResult;
  readonly bodies: { readonly checked: number; readonly bytes: number };
  readonly damages: readonly {
    readonly position: Position;
    readonly stream: string | undefined;
    readonly what: string;
  }[];
  /** Faults of the file's structure that no single event shows: a broken index, for one. */
  readonly structure: readonly string[];
  /** Letters that the queue sets aside: an event of theirs makes no sense to it. The first thousand. */
  readonly setAside: readonly { readonly message: MessageId; readonly why: string }[];
  readonly mistakes: readonly Mistake[];
  /** Of all mistakes; `mistakes` has the first thousand. */
  readonly mistakeCount: number;
  /** Attempts that may have worked though nobody knows: no fault of the log. */
  readonly inDoubt: readonly Doubt[];
  readonly inDoubtCount: number;
};

export async function verify(parts: VerifyParts): Promise<Verification> {
  const { log, onProgress, rest } = parts;
  const audit = emptyAudit();
  const checkpoint = checkpointCheck(parts.checkpoint);
  const upTo = await log.head();
  for await (const page of pagesOf(log, {
    upTo,
    onProgress: (position, of) => onProgress?.(position, of, 'events'),
    ...(rest === undefined ? {} : { rest }),
  })) {
    for (const event of page) {
      foldAudit(audit, event);
      checkpoint.take(event);
    }
  }
  const result = await unlessMoved(checkpoint.result(), log, parts.checkpoint);
  closeAudit(audit);
  const bodies = await checkBodies(audit, parts);
  onProgress?.(0, 1, 'structure');
  return toVerification(audit, result, bodies, log, upTo, checkpoint.agenda.aside);
}

function toVerification(
  audit: Audit,
  checkpoint: CheckpointResult,
  bodies: Verification['bodies'],
  log: VerifyParts['log'],
  position: Position,
  aside: Agenda['aside'],
): Verification {
  const damages = log.damages();
  const structure = log.check?.() ?? [];
  const open = openRecipients(audit);
  const { accepted, delivered, failed, cancelled } = audit.recipients;
  return {
    ok:
      audit.mistakeCount === 0 &&
      damages.length === 0 &&
      structure.length === 0 &&
      aside.size === 0 &&
      checkpoint.state !== 'wrong',
    ...{ position, events: audit.events, attempts: audit.attempts },
    letters: { ...audit.letters, open: audit.open.size },
    recipients: {
      ...{ ...audit.recipients, open },
      balanced: accepted === delivered + failed + cancelled + open,
    },
    bounces: { ...audit.bounces, owed: owedBounces(audit) },
    ...{ checkpoint, bodies, damages, structure },
    setAside: [...aside].slice(0, mostKept).map(([message, why]) => ({ message, why })),
    ...{ mistakes: audit.mistakes, mistakeCount: audit.mistakeCount },
    ...{ inDoubt: audit.doubts, inDoubtCount: audit.doubtCount },
  };
}

/** Every letter that is not done needs its body, byte for byte. */
async function checkBodies(audit: Audit, parts: VerifyParts): Promise<Verification['bodies']> {
  let checked = 0;
  let bytes = 0;
  for (const [message, { body }] of audit.open) {
    const wrong = await bodyMistake(body, parts);
    checked += 1;
    bytes += body.bytes;
    if (checked % 100 === 0) {
      parts.onProgress?.(checked, audit.open.size, 'bodies');
      await parts.rest?.();
    }
    // An engine that runs may have finished the letter, and removed its body, since we folded it.
    if (wrong === undefined || (await isDone(message, parts.log))) continue;
    audit.mistakeCount += 1;
    audit.mistakes.push({ position: audit.position, stream: messageStream(message), what: wrong });
  }
  return { checked, bytes };
}

async function bodyMistake(
  body: BodyRef,
  { log, bodyFile, body: elsewhere }: VerifyParts,
): Promise<string | undefined> {
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    const inline = log.readBody?.(messageStream(body.id));
    const pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array> =
      elsewhere?.(body) ??
      (inline === undefined
        ? (createReadStream(bodyFile(body.id)) as AsyncIterable<Buffer>)
        : [inline]);
    for await (const piece of pieces) {
      digest.update(piece);
      bytes += piece.byteLength;
    }
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'ENOENT' || code === 'body-missing') return 'its body is missing';
    return `its body cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  if (bytes !== body.bytes) return `its body has ${bytes} bytes, and should have ${body.bytes}`;
  return digest.digest('hex') === body.sha256 ? undefined : 'its body is not what was accepted';
}

async function isDone(message: MessageId, log: LogReader): Promise<boolean> {
  const { events } = await readLetter(log, message);
  return events.some(({ type }) => type === 'MessageCleanedUp');
}
