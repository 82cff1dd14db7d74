/** A checkpoint held against the log: the agenda is folded from the first event, and compared where the checkpoint ends. */
import {
  agendaFingerprint,
  decodeAgenda,
  readCheckpointHead,
} from '../../projections/agenda-checkpoint.ts';
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import { mayBeGone } from '../log/known-event.ts';
import type { LogReader, Position, RecordedEvent } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import { compareAgendas } from './compare-agendas.ts';

export type CheckpointResult =
  | { readonly state: 'none' }
  | { readonly state: 'foreign' }
  /** The event that it ends with stands elsewhere: the log was moved since. */
  | { readonly state: 'moved' }
  | { readonly state: 'same'; readonly position: Position }
  | {
      readonly state: 'wrong';
      readonly position?: Position;
      readonly differences: readonly string[];
    };

export type CheckpointCheck = {
  /** Every event, in the order of the log. */
  take(event: RecordedEvent): void;
  result(): CheckpointResult;
  /** All that was taken, folded. */
  readonly agenda: Agenda;
};

export function checkpointCheck(bytes: Uint8Array | undefined): CheckpointCheck {
  const agenda = empty();
  const saved = empty();
  const head = bytes === undefined ? undefined : decodeAgenda(bytes, saved);
  if (bytes === undefined || head === undefined) return onlyFolding(agenda, whyNone(bytes));
  const { position, stream, revision, at } = head;
  let compared: CheckpointResult | undefined;
  const compare = (isSame: boolean): void => {
    const differences = isSame
      ? compareAgendas(agenda, saved)
      : ['the event that it ends with is another one in this log'];
    compared =
      differences.length === 0
        ? { state: 'same', position }
        : { state: 'wrong', position, differences };
  };
  const lost =
    'the event that it ends with is not in the log: the log has lost its end, or is another one';
  return {
    agenda,
    take(event) {
      // Where old events of a stream go, it may have ended with one of those.
      const isGone = event.position > position && mayBeGone(stream);
      if (compared === undefined && isGone) compare(true);
      fold(agenda, event);
      if (compared !== undefined || event.position !== position) return;
      compare(event.stream === stream && event.revision === revision && event.at === at);
    },
    result: () => compared ?? { state: 'wrong', position, differences: [lost] },
  };
}

const onlyFolding = (agenda: Agenda, result: CheckpointResult): CheckpointCheck => ({
  agenda,
  take: (event) => void fold(agenda, event),
  result: () => result,
});

/** Written by another release, which is no fault; all else that cannot be read is damage. */
function whyNone(bytes: Uint8Array | undefined): CheckpointResult {
  if (bytes === undefined) return { state: 'none' };
  const end = bytes.indexOf(0x0a);
  try {
    const line = Buffer.from(bytes.subarray(0, Math.max(0, end))).toString('utf8');
    const { fingerprint } = JSON.parse(line) as { fingerprint?: unknown };
    const isForeign = typeof fingerprint === 'string' && fingerprint !== agendaFingerprint;
    if (isForeign) return { state: 'foreign' };
  } catch {
    // No line of ours.
  }
  return { state: 'wrong', differences: ['it is damaged'] };
}

/** A checkpoint of the log before it was moved (`waybill log copy`) is of no use, and no fault. */
export async function unlessMoved(
  result: CheckpointResult,
  log: Pick<LogReader, 'readStream'>,
  checkpoint: Uint8Array | undefined,
): Promise<CheckpointResult> {
  const head = checkpoint === undefined ? undefined : readCheckpointHead(checkpoint);
  if (result.state !== 'wrong' || head === undefined) return result;
  const { stream, revision, at, position } = head;
  const [there] = await log
    .readStream(stream, { from: revision, limit: 1 })
    .catch((cause: unknown) => {
      if (isTrouble(cause, 'log-damaged')) return [];
      throw cause;
    });
  const isMoved = there?.revision === revision && there.at === at && there.position !== position;
  return isMoved ? { state: 'moved' } : result;
}
