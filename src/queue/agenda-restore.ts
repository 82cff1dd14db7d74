/** The agenda as its checkpoint has it. A missing or foreign checkpoint only means a longer replay. */
import { readFile } from 'node:fs/promises';
import {
  decodeAgenda,
  readCheckpointHead,
  type LastFolded,
} from '../../projections/agenda-checkpoint.ts';
import type { Agenda } from '../../projections/agenda.ts';
import { stillThere } from '../log/known-event.ts';
import { logStart, type LogReader, type Position } from '../log/ports.ts';

export type Restoring = {
  readonly log: Pick<LogReader, 'readAll' | 'readStream'>;
  /** Absent: no checkpoints, every start folds from the first event. */
  readonly file?: string;
  /** A checkpoint beyond that place is of no use. */
  readonly upTo?: Position;
  readonly onThrownAway?: (why: string) => void;
};

export const nothingFolded: LastFolded = { position: logStart, stream: '', revision: -1, at: 0 };

/** Fills the agenda from the checkpoint, if it is one and of this log; says where to go on. */
export async function restoreAgenda(options: Restoring, agenda: Agenda): Promise<LastFolded> {
  const { log, file, upTo = Infinity, onThrownAway } = options;
  const bytes = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (bytes === undefined) return nothingFolded;
  const head = readCheckpointHead(bytes);
  if (head === undefined || !(await stillThere(log, head))) {
    onThrownAway?.('the checkpoint is of another release or another log');
    return nothingFolded;
  }
  if (head.position > upTo) return nothingFolded;
  if (decodeAgenda(bytes, agenda) !== undefined) return lastFolded(head);
  onThrownAway?.('the checkpoint is damaged');
  return nothingFolded;
}

/** What a checkpoint keeps of its last event, and nothing else of it. */
export const lastFolded = ({ position, stream, revision, at }: LastFolded): LastFolded => ({
  position,
  stream,
  revision,
  at,
});
