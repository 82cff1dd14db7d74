/** The way of a letter into the queue, as programs use it: through the engine, or through QMAILQUEUE's program. */
import type { QueueEnvelope } from '../../../ingress/inject/queue-envelope.ts';
import { queueOutcome, type QueueOutcome } from '../../../ingress/inject/queue-exit.ts';
import { engineLetter } from './engine-letter.ts';
import { engineParts } from './places.ts';
import { Fatal, type Environment } from './program.ts';
import { exitNever, exitTryLater } from '../../exit-codes.ts';

export interface QueueLetter {
  /** The process that takes it in: qmail's `qp`. */
  readonly pid: number;
  /** Resolves when more may come. Never rejects: `finish` says what went wrong. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the letter is safe, or says why it is not. */
  finish(envelope: QueueEnvelope): Promise<QueueOutcome>;
}

/** Nothing is started or asked before there is something to say. */
export async function openQueueLetter(env: Environment): Promise<QueueLetter> {
  const program = env['QMAILQUEUE'];
  if (program !== undefined && program !== '') {
    const { programLetter } = await import('./program-letter.ts');
    return programLetter(program, env);
  }
  const letter = engineLetter(engineParts(env));
  return {
    pid: process.pid,
    write: (bytes) => letter.write(bytes),
    finish: async (envelope) => queueOutcome(await letter.finish(envelope)),
  };
}

/** Throws what qmail's programs die of when the queue says no. */
export function requireQueued({ kind, text }: QueueOutcome): void {
  if (kind === 'queued') return;
  throw new Fatal(text, kind === 'permanent' ? exitNever : exitTryLater);
}
