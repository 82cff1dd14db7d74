/** A program of an alias or a .forward: `/bin/sh -c`, in our directory and environment, with the letter on its stdin. */
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { permanentExits } from '../../../mail/program-exit.ts';
import { exitNever, exitTryLater } from '../../exit-codes.ts';
import { toBytes, toText } from '../lib/bytes.ts';
import { readDescriptor } from '../lib/descriptors.ts';
import { openPipe, pourIntoPipe } from '../lib/pipe.ts';
import { prefixed } from '../lib/prefixed.ts';
import { tryLater, type Environment } from '../lib/program.ts';
import type { Message } from './message.ts';

/** The program has failed and said why itself. */
export class ProgramFailed extends Error {
  readonly exit: number;

  constructor(exit: number) {
    super(`a program failed: exit ${exit}`);
    this.exit = exit;
  }
}

/** Lines that go before the letter, through a pipe; without any the program gets the letter's own file. */
export type Preface = string | undefined;

/**
 * Runs it to its end. `named`: how it is called when it crashes. Errors: `ProgramFailed`, `Fatal`.
 * That it does not read all of its letter is its own affair.
 */
export async function runCommand(
  command: string,
  { message, preface, named }: { message: Message; preface: Preface; named: string },
): Promise<void> {
  const words = toText(command);
  // Node hands on text only; a command with other bytes would become another command.
  if (words === undefined) throw tryLater(`unable to run ${named}: not UTF-8`);
  const fd = await message.open();
  try {
    const pipe = preface === undefined ? undefined : openPipe();
    const child = spawn('/bin/sh', ['-c', words], {
      stdio: [pipe?.reader ?? fd, 'inherit', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (pipe !== undefined) closeSync(pipe.reader);
    const head = Buffer.from(preface ?? '', 'latin1');
    const fed = pipe && pourIntoPipe(pipe.writer, prefixed(head, readDescriptor(fd)));
    const [code] = await Promise.all([ended, fed]);
    if (code === null) throw tryLater(`child crashed${named === '' ? '' : ` in ${named}`}`);
    if (code !== 0) throw new ProgramFailed(permanentExits.has(code) ? exitNever : exitTryLater);
  } finally {
    closeSync(fd);
  }
}

/** The lines that preline puts before a letter: From_, Return-Path, Delivered-To. A byte string. */
export const prefaceFrom = (env: Environment): string =>
  ['UFLINE', 'RPLINE', 'DTLINE'].map((name) => toBytes(env[name] ?? '')).join('');
