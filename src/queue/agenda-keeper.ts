/**
 * Keeps the agenda: from its checkpoint, through the tail of the log, then live; and writes the next
 * checkpoint now and then. A missing or foreign checkpoint only means a longer replay.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  BehaviorSubject,
  ReplaySubject,
  Subject,
  concatMap,
  defer,
  filter,
  firstValueFrom,
  map,
  type Observable,
} from 'rxjs';
import {
  decodeAgenda,
  encodeAgenda,
  readCheckpointHead,
  type LastFolded,
} from '../../projections/agenda-checkpoint.ts';
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import {
  logStart,
  type LogReader,
  type LogSignal,
  type Position,
  type RecordedEvent,
} from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import type { QueueEvent } from './events.ts';

export type AgendaKeeper = {
  readonly agenda: Agenda;
  /** Position of the last event folded in. */
  readonly position: Position;
  /** Follows the log while subscribed; errors when the log fails or the fold does. */
  readonly follow$: Observable<void>;
  /** Resolves when all that was in the log at the start is folded in. */
  readonly caughtUp: Promise<unknown>;
  /** Letters as they come to owe a bounce, after `caughtUp`. */
  readonly owing$: Observable<MessageId>;
  /**
   * Bodies that no letter needs any more, as their letters end; at first those that ended last before
   * the start, whose removal a crash may have prevented.
   */
  readonly ended$: Observable<string>;
  /** Writes a checkpoint when enough has happened since the last one, or when told to. */
  checkpoint(force?: boolean): Promise<void>;
};

export type KeeperOptions = {
  readonly log: LogReader;
  /** Absent: no checkpoints, every start folds from the first event. */
  readonly file?: string;
  /** Events between two checkpoints; default 200,000. */
  readonly every?: number;
  readonly onProgress?: (position: Position, head: Position) => void;
  readonly onThrownAway?: (why: string) => void;
};

/** More than can end between two checkpoints' removals; a few bodies left lying do no harm. */
const rememberedEnds = 20_000;

const nothingFolded: LastFolded = { position: logStart, stream: '', revision: -1, at: 0 };

export function keepAgenda(options: KeeperOptions): AgendaKeeper {
  const { log, file, every = 200_000, onProgress } = options;
  const agenda = empty();
  let last = nothingFolded;
  let saved = last.position;
  const ready$ = new BehaviorSubject(false);
  const owing$ = new Subject<MessageId>();
  const ended$ = new ReplaySubject<string>(rememberedEnds);

  const take = (event: RecordedEvent): void => {
    fold(agenda, event);
    last = event;
    if (event.type === 'MessageCleanedUp') {
      ended$.next(
        (event as unknown as Extract<QueueEvent, { type: 'MessageCleanedUp' }>).data.body,
      );
    } else if (event.type === 'MessageSettled' && ready$.value) {
      owing$.next(event.stream.slice('message-'.length));
    }
  };
  let heard = 0;
  const hear = (signal: LogSignal): void => {
    if (signal.kind === 'event') take(signal.event);
    else if (!ready$.value) ready$.next(true);
    heard += 1;
    if (ready$.value || heard % 50_000 !== 0) return;
    const tell = (head: Position) => onProgress?.(last.position, head);
    log.head().then(tell, () => undefined);
  };
  const write = async (force: boolean): Promise<void> => {
    // Counts positions, which need not be dense; near enough to decide when.
    const enough = last.position - saved >= every || (force && last.position !== saved);
    if (file === undefined || !enough || !ready$.value) return;
    const folded = plain(last);
    await replaceFile(file, encodeAgenda(agenda, folded));
    saved = folded.position;
  };
  let writing: Promise<void> = Promise.resolve();
  return {
    agenda,
    get position() {
      return last.position;
    },
    follow$: defer(async () => {
      last = await restore(options, agenda);
      saved = last.position;
    }).pipe(
      concatMap(() => log.subscribe(last.position)),
      map(hear),
    ),
    caughtUp: firstValueFrom(ready$.pipe(filter(Boolean))),
    owing$,
    ended$,
    checkpoint(force = false) {
      // One at a time: they share a file.
      const written = writing.then(() => write(force));
      writing = written.catch(() => undefined);
      return written;
    },
  };
}

const plain = ({ position, stream, revision, at }: LastFolded): LastFolded => ({
  position,
  stream,
  revision,
  at,
});

/** Fills the agenda from the checkpoint, if it is one and of this log; says where to go on. */
async function restore(options: KeeperOptions, agenda: Agenda): Promise<LastFolded> {
  const { log, file, onThrownAway } = options;
  const bytes = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (bytes === undefined) return nothingFolded;
  const head = readCheckpointHead(bytes);
  if (head === undefined || !(await isOfThisLog(head, log))) {
    onThrownAway?.('the checkpoint is of another release or another log');
    return nothingFolded;
  }
  if (decodeAgenda(bytes, agenda) !== undefined) return plain(head);
  onThrownAway?.('the checkpoint is damaged');
  return nothingFolded;
}

/** Whether the event that the checkpoint ends with stands in this log where it says. */
async function isOfThisLog(head: LastFolded, log: LogReader): Promise<boolean> {
  if (head.position === logStart) return false;
  const [there] = await log.readAll({ after: head.position - 1, limit: 1 });
  return (
    there?.position === head.position &&
    there.stream === head.stream &&
    there.revision === head.revision &&
    there.at === head.at
  );
}

/** Whole or not at all: a stop in between leaves the old file. */
async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const young = `${file}.new`;
  const handle = await open(young, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(young, file);
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
