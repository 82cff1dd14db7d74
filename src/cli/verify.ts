/** `waybill verify`: the whole log refolded and added up. Exit 0: all is well; 100: it is not. */
import { readIfThere } from '../platform/read-if-there.ts';
import type { CheckpointResult } from '../trace/checkpoint-check.ts';
import { toAsciiJson } from '../trace/json.ts';
import { verify, type Verification, type VerifyPhase } from '../trace/verify.ts';
import { count, formatInstant, safe } from '../trace/words.ts';
import { exitNever } from './exit-codes.ts';
import { giveWay, shareOfReading } from './giving-way.ts';
import { withLog, type OpenedLog } from './open-log.ts';
import { openWords } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';

export type VerifyOptions = { readonly json?: boolean; readonly urgent?: boolean };

export async function verifyLog(
  places: Places,
  { json = false, urgent = false }: VerifyOptions,
): Promise<void> {
  const output = openWords(json);
  const progress = openProgress('verifying');
  const way = giveWay(urgent ? 1 : shareOfReading);
  const look = async ({ log, files, body, unit }: OpenedLog): Promise<Verification> => {
    // Before the log: a checkpoint written from now on may be ahead of what we read.
    const checkpoint = readIfThere(files.checkpoint);
    return verify({
      ...{ log, checkpoint, bodyFile: files.bodyFile },
      ...(body === undefined ? {} : { body }),
      onProgress: (done, of, phase) => progress.tell(done, of, phaseWords[phase] ?? unit),
      rest: way.rest,
    });
  };
  // Damage is part of the answer; no need to complain of it besides.
  const result = await withLog(places, look, () => undefined);
  progress.end();
  if (json) output.line(toAsciiJson(toJson(result)));
  else for (const line of toLines(result)) output.line(line);
  await output.drained();
  if (!result.ok) process.exitCode = exitNever;
}

/** Of the events it is what positions count. */
const phaseWords: { readonly [P in VerifyPhase]?: string } = {
  bodies: 'bodies of open letters',
  structure: 'structure of the file',
};

const toJson = (result: Verification): unknown => ({
  ...result,
  inDoubt: result.inDoubt.map((doubt) => ({
    ...doubt,
    startedAt: formatInstant(doubt.startedAt, 'ms'),
    recordedAt: formatInstant(doubt.recordedAt, 'ms'),
  })),
});

function toLines(result: Verification): string[] {
  const { letters, recipients, bounces, bodies, attempts } = result;
  const { accepted, delivered, failed, cancelled, open } = recipients;
  const sign = recipients.balanced ? '=' : 'IS NOT';
  return [
    `${count(result.events, 'event')} up to position ${result.position}`,
    `${count(letters.accepted, 'letter')} accepted: ${letters.done} done, ${letters.open} open; ${count(attempts, 'attempt')}`,
    `${count(accepted, 'recipient')} accepted ${sign} ${delivered} delivered + ${failed} failed + ${cancelled} cancelled + ${open} open`,
    `${count(bounces.queued, 'bounce')} queued, ${bounces.discarded} discarded, ${bounces.owed} owed`,
    `${count(bodies.checked, 'body', 'bodies')} of open letters read and compared (${count(bodies.bytes, 'byte')})`,
    ...checkpointLines(result.checkpoint),
    ...result.damages.map(
      ({ position, stream, what }) =>
        `DAMAGED: event ${position}${stream === undefined ? '' : ` of ${safe(stream)}`}: ${safe(what)}`,
    ),
    ...result.structure.map((what) => `DAMAGED: the file of the log: ${safe(what)}`),
    ...result.setAside.map(
      ({ message, why }) => `SET ASIDE: letter ${safe(message, 80)}: ${safe(why)}`,
    ),
    ...result.mistakes.map(
      ({ position, stream, what }) =>
        `WRONG: ${stream === '' ? 'the log' : safe(stream)} at event ${position}: ${safe(what)}`,
    ),
    ...unlisted(result.mistakeCount - result.mistakes.length, 'more things are wrong'),
    ...result.inDoubt.map(
      ({ message, recipient, attempt, startedAt }) =>
        `in doubt: ${message}/${recipient}, attempt ${attempt} of ${formatInstant(startedAt)}`,
    ),
    ...unlisted(result.inDoubtCount - result.inDoubt.length, 'more attempts are in doubt'),
    result.ok ? 'All is well.' : 'NOT well: see above.',
  ];
}

const unlisted = (n: number, what: string): string[] => (n > 0 ? [`${n} ${what}`] : []);

function checkpointLines(checkpoint: CheckpointResult): string[] {
  switch (checkpoint.state) {
    case 'none':
      return ['no checkpoint yet: the next start folds from the first event'];
    case 'foreign':
      return [
        'the checkpoint is of another release, and not used: the next start folds from the first event',
      ];
    case 'moved':
      return [
        'the checkpoint is of this log before it was moved, and not used: the next start folds from the first event',
      ];
    case 'same':
      return [`the checkpoint at position ${checkpoint.position} says the same as the log`];
    case 'wrong':
      return checkpoint.differences.map(
        (difference) => `WRONG: the checkpoint: ${safe(difference)}`,
      );
  }
}
