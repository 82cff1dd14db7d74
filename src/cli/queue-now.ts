/** The queue as it stands: from whatever is nearest to the log's end, the checkpoint or a mark of the past. */
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import { logStart, type LogReader, type Position } from '../log/ports.ts';
import { listMarks } from '../past/marks.ts';
import { restoreMark } from '../past/restore.ts';
import { restoreAgenda } from '../queue/agenda-restore.ts';
import { pagesOf } from '../trace/pages.ts';

export type QueueNow = {
  readonly log: Pick<LogReader, 'readAll' | 'readStream' | 'head'>;
  /** The agenda's checkpoint, and the folder of marks; neither need be there, or readable, or sound. */
  readonly checkpoint: string;
  readonly marks: string;
  readonly onProgress?: (position: Position, head: Position) => void;
};

type Standing = { readonly agenda: Agenda; readonly position: Position };

export async function agendaNow(options: QueueNow): Promise<Standing> {
  const { log, onProgress } = options;
  const { agenda, position: from } = await nearest(options);
  let position = from;
  for await (const page of pagesOf(log, { after: from, ...(onProgress && { onProgress }) })) {
    for (const event of page) {
      fold(agenda, event);
      ({ position } = event);
    }
  }
  return { agenda, position };
}

/** A mark is looked at only when it is nearer: to restore it takes as long. */
async function nearest({ log, checkpoint, marks: directory }: QueueNow): Promise<Standing> {
  const agenda = empty();
  const { position } = await restoreAgenda({ log, file: checkpoint }, agenda);
  const marks = listMarks(directory);
  if ((marks.at(-1)?.position ?? logStart) <= position) return { agenda, position };
  const marked = await restoreMark({ log, directory }, marks);
  return marked.place.position > position
    ? { agenda: marked.agenda, position: marked.place.position }
    : { agenda, position };
}
