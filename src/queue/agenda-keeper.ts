/**
 * Keeps the agenda: from its checkpoint, through the tail of the log, then live; and writes the next
 * checkpoint now and then. A missing or foreign checkpoint only means a longer replay.
 */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  BehaviorSubject,
  Subject,
  concatMap,
  defer,
  filter,
  firstValueFrom,
  map,
  type Observable,
} from 'rxjs';
import { encodeAgenda, type LastFolded } from '../../projections/agenda-checkpoint.ts';
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import type { LogReader, LogSignal, Position, RecordedEvent } from '../log/ports.ts';
import type { MessageId } from '../mail/envelope.ts';
import { lastFolded, nothingFolded, restoreAgenda } from './agenda-restore.ts';
import type { QueueEvent } from './events.ts';
import { Remembered } from './remembered.ts';

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
  /** Somebody wants everything tried again now; after `caughtUp`. */
  readonly retriedAll$: Observable<void>;
  /** Letters as they are set aside (`agenda.aside` says why), after `caughtUp`. */
  readonly aside$: Observable<MessageId>;
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
  /** Events between two checkpoints; default `usualEvery`. */
  readonly every?: number;
  /** While it catches up, every few thousand events. */
  readonly onProgress?: (position: Position, head: Position) => void;
  /** It has caught up, and so many events were folded in since the checkpoint. */
  readonly onCaughtUp?: (events: number) => void;
  readonly onThrownAway?: (why: string) => void;
  /** Another fold of the same events, which the queue needs at the same place. */
  readonly beside?: Beside;
  /** Where several nodes share the log: bounces are owed, and bodies thrown away, by the owner only. */
  readonly isMine?: (message: MessageId) => boolean;
};

type CleanedUp = Extract<QueueEvent, { type: 'MessageCleanedUp' }>['data'];

export interface Beside {
  /** From its own checkpoint, which is written before the agenda's: how far it has come. */
  restore(): Promise<Position>;
  /** Each event as the agenda has it, then that it has caught up. Hears some again after a start. */
  hear(signal: LogSignal): void;
  checkpoint(last: LastFolded): readonly Uint8Array[];
  readonly file: string | undefined;
}

/** A second or two of replay. */
export const usualEvery = 200_000;

/** More than can end between two checkpoints' removals; a few bodies left lying do no harm. */
const rememberedEnds = 20_000;

export function keepAgenda(options: KeeperOptions): AgendaKeeper {
  const { log, file, every = usualEvery, onProgress, onCaughtUp, beside } = options;
  const { isMine = () => true } = options;
  const agenda = empty();
  let last = nothingFolded;
  let saved = last.position;
  let sinceSaved = 0;
  const ready$ = new BehaviorSubject(false);
  const owing$ = new Subject<MessageId>();
  const aside$ = new Subject<MessageId>();
  const retriedAll$ = new Subject<void>();
  const ended = new Remembered<string>(rememberedEnds);

  const take = (event: RecordedEvent): void => {
    const asideBefore = agenda.aside.size;
    fold(agenda, event);
    last = event;
    sinceSaved += 1;
    const { stream, type } = event;
    if (agenda.aside.size > asideBefore) aside$.next(stream.slice('message-'.length));
    if (type === 'RetryAllRequested' && ready$.value) retriedAll$.next();
    const isEnd = type === 'MessageCleanedUp' || type === 'MessageSettled';
    // The body of a letter that a person is to look at stays, and no bounce is made of it.
    const isAside = agenda.aside.size > 0 && agenda.aside.has(stream.slice('message-'.length));
    // What ended before the start may have been left by one that is no more.
    if (!isEnd || isAside || (ready$.value && !isMine(stream.slice('message-'.length)))) return;
    if (event.type === 'MessageCleanedUp') {
      const body = (event.data as Partial<CleanedUp> | null)?.body;
      if (typeof body === 'string') ended.next(body);
    } else if (event.type === 'MessageSettled' && ready$.value) {
      owing$.next(event.stream.slice('message-'.length));
    }
  };
  let heard = 0;
  const hear = (signal: LogSignal): void => {
    if (signal.kind === 'event') take(signal.event);
    beside?.hear(signal);
    if (ready$.value) return;
    if (signal.kind === 'caught-up') {
      onCaughtUp?.(heard);
      ready$.next(true);
      return;
    }
    heard += 1;
    if (heard % 10_000 !== 0) return;
    const tell = (head: Position) => onProgress?.(last.position, head);
    log.head().then(tell, () => undefined);
  };
  const write = async (force: boolean): Promise<void> => {
    const enough = sinceSaved >= every || (force && last.position !== saved);
    if (file === undefined || !enough || !ready$.value) return;
    const folded = lastFolded(last);
    const pieces = encodeAgenda(agenda, folded);
    sinceSaved = 0;
    if (beside?.file !== undefined) await replaceFile(beside.file, beside.checkpoint(folded));
    await replaceFile(file, pieces);
    saved = folded.position;
  };
  let writing: Promise<void> = Promise.resolve();
  return {
    agenda,
    get position() {
      return last.position;
    },
    follow$: defer(async () => {
      const upTo = await beside?.restore();
      last = await restoreAgenda({ ...options, ...(upTo === undefined ? {} : { upTo }) }, agenda);
      saved = last.position;
    }).pipe(
      concatMap(() => log.subscribe(last.position)),
      map(hear),
    ),
    caughtUp: firstValueFrom(ready$.pipe(filter(Boolean))),
    ...{ owing$, aside$, retriedAll$ },
    ended$: ended.values$,
    checkpoint(force = false) {
      // One at a time: they share a file.
      const written = writing.then(() => write(force));
      writing = written.catch(() => undefined);
      return written;
    },
  };
}

/** Whole or not at all: a stop in between leaves the old file, and a full disk gets its room back. */
async function replaceFile(file: string, pieces: readonly Uint8Array[]): Promise<void> {
  const young = `${file}.new`;
  try {
    const handle = await open(young, 'w', 0o600);
    try {
      for (const piece of pieces) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(young, file);
  } catch (cause) {
    await rm(young, { force: true }).catch(() => undefined);
    throw cause;
  }
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
