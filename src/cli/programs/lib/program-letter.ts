/**
 * A letter handed to another program in qmail-queue's place (QMAILQUEUE): message on its descriptor 0,
 * envelope on 1, and what it has to say to people from 6.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { formatEnvelope } from '../../../ingress/inject/queue-envelope.ts';
import {
  queueCrashed,
  queueOutcome,
  type QueueOutcome,
} from '../../../ingress/inject/queue-exit.ts';
import type { QueueLetter } from './queue-letter.ts';
import type { Environment } from './program.ts';

export function programLetter(program: string, env: Environment): QueueLetter {
  if (!isExecutable(program)) return lost(queueOutcome(120));
  // The program wants the envelope where others have their stdout: the shell turns the pipe round.
  const child = spawn('/bin/sh', ['-c', 'exec "$0" 1<&3 3<&-', program], {
    env: env,
    stdio: ['pipe', 'ignore', 'inherit', 'pipe', 'ignore', 'ignore', 'pipe'],
  });
  const ended = outcomeOf(child);
  const message = child.stdin as Writable;
  const envelope = pipeOf(child, 3) as Writable;
  // One that stops reading says with its exit code what it thinks of the letter.
  message.on('error', () => undefined);
  envelope.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    async write(bytes) {
      if (message.writable && !message.write(bytes)) await drained(message);
    },
    async finish(whose) {
      message.end();
      envelope.end(formatEnvelope(whose));
      return ended;
    },
  };
}

function isExecutable(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const lost = (outcome: QueueOutcome): QueueLetter => ({
  pid: 0,
  write: () => Promise.resolve(),
  finish: () => Promise.resolve(outcome),
});

/** The types know of five descriptors only. */
const pipeOf = ({ stdio }: ChildProcess, fd: number): Readable | Writable =>
  (stdio as readonly (Readable | Writable | null)[])[fd]!;

const drained = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });

function outcomeOf(child: ChildProcess): Promise<QueueOutcome> {
  let custom = '';
  (pipeOf(child, 6) as Readable).on('data', (chunk: Buffer) => {
    if (custom.length < 256) custom += chunk.toString('latin1');
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(queueOutcome(120)));
    child.once('close', (code) => {
      if (code === null) resolve(queueCrashed);
      // The shell's words for a program that cannot be run.
      else if (code === 126 || code === 127) resolve(queueOutcome(120));
      else resolve(queueOutcome(code, custom));
    });
  });
}
