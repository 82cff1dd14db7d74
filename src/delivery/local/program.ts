/** One program line of a dot-qmail file: `/bin/sh -c`, and what its exit code means (qmail-command(8)). */
import { permanentExits } from '../../mail/program-exit.ts';
import type { Command, Ended, Processes } from '../../platform/processes.ts';
import { errorWords } from '../../platform/errno.ts';
import type { FileCalls } from './file-calls.ts';
import { defer, type Halt } from './halt.ts';
import type { Identity, Who } from './identity.ts';
import { LetterUnreadable, type Letter } from './letter.ts';
import { forPrintf, isRaw } from './raw-text.ts';
import { maxReportBytes, type DeliveryReport } from './report.ts';
import { scratchFile } from './scratch.ts';

export type ProgramParts = {
  readonly processes: Processes;
  readonly files: FileCalls;
  readonly identity: Identity;
  readonly scratchDirectory: string;
  readonly timeoutMs: number;
  /** Where programs run as others than we: processes that one user may have; 0: any number. */
  readonly maxProcesses: number;
  /** Its stderr goes where ours goes, rather than into the report. */
  readonly stderrIsOurs?: true;
  /** Ends the program early; the delivery is deferred. */
  readonly callOff: AbortSignal;
};

export type ProgramTask = {
  readonly command: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly who: Who;
  readonly letter: Letter;
  /** Hears how it ended: `exit 99`, `SIGKILL`, `time limit`. */
  readonly onEnd?: (how: string) => void;
};

/** What a shell sets up for the command's own shell: nobody else may read what it writes. */
const setUp = 'umask 077; exec /bin/sh -c "$1"';
/** The same for a command that is not UTF-8. */
const rawSetUp = `umask 077; exec /bin/sh -c "$(printf %b "$1")"`;
/** stdout and stderr are one pipe, so that a report has both in the order they were written. */
const oneReport = 'exec 2>&1; ';

/** One that multiplies without end harms its user only. dash and busybox say `-p`, bash `-u`. */
const limit = (most: number): string =>
  `ulimit -p ${most} 2>/dev/null || ulimit -u ${most} 2>/dev/null; `;

/** `undefined`: on to the next line. `enough`: delivered, and the lines that follow are ignored (99). */
export async function runProgram(
  parts: ProgramParts,
  task: ProgramTask,
  report: DeliveryReport,
): Promise<Halt | 'enough' | undefined> {
  let stdin: number | undefined;
  try {
    stdin = await makeStdin(parts, task);
    const ended = await parts.processes.run(commandFor(parts, task, stdin), parts.callOff);
    report.addOutput(ended.output);
    task.onEnd?.(howItEnded(ended, parts.callOff));
    return meaning(ended);
  } catch (cause) {
    if (cause instanceof LetterUnreadable) return defer('Unable to read message. (#4.3.0)');
    return defer(`Unable to run program: ${errorWords(cause)}. (#4.3.0)`);
  } finally {
    if (stdin !== undefined) parts.files.closeSync(stdin);
  }
}

function makeStdin(
  { files, identity, scratchDirectory }: ProgramParts,
  { letter, who }: ProgramTask,
): Promise<number> {
  const scratch = { files, directory: scratchDirectory };
  return scratchFile(scratch, letter, identity.switches ? who : undefined);
}

function commandFor(
  { identity, timeoutMs, maxProcesses, stderrIsOurs }: ProgramParts,
  { command, home, env, who }: ProgramTask,
  stdin: number,
): Command {
  const limited = identity.switches && maxProcesses > 0 ? limit(maxProcesses) : '';
  const before = limited + (stderrIsOurs === true ? '' : oneReport);
  const [script, word] = isRaw(command) ? [rawSetUp, forPrintf(command)] : [setUp, command];
  return {
    file: '/bin/sh',
    args: ['-c', before + script, 'sh', word],
    cwd: home,
    env,
    stdin,
    timeoutMs,
    maxOutputBytes: maxReportBytes + 1,
    ...(identity.switches ? who : {}),
  };
}

function howItEnded(ended: Ended, callOff: AbortSignal): string {
  if (ended.how === 'exit') return `exit ${ended.code}`;
  if (ended.how === 'signal') return ended.signal;
  return callOff.aborted ? 'called off' : 'time limit';
}

function meaning(ended: Ended): Halt | 'enough' | undefined {
  if (ended.how === 'stopped') return defer('Timeout on program delivery. (#4.3.0)');
  if (ended.how === 'signal') return defer('Aack, child crashed. (#4.3.0)');
  if (ended.code === 0) return undefined;
  if (ended.code === 99) return 'enough';
  // The program has said why; qmail-local adds nothing.
  return { kind: permanentExits.has(ended.code) ? 'failed' : 'deferred', text: '' };
}
