/**
 * `waybill log copy`: a log with its bodies, moved to another place. Exit 0 only when both are the same, 111
 * when it must be asked again (interrupted, or the source's engine runs), 100 when it will never be.
 */
import { forgetLeft } from '../composition/left-log.ts';
import { Trouble } from '../mail/trouble.ts';
import { move } from '../moving/move.ts';
import type { Moved, Phase, Progress, Source, Target } from '../moving/ports.ts';
import { sqliteSource, sqliteTarget } from '../moving/sqlite-side.ts';
import { toAsciiJson } from '../trace/json.ts';
import { count, safe } from '../trace/words.ts';
import { exitTryLater } from './exit-codes.ts';
import { refuseSamePlace, toCopyPlace, type CopyPlace } from './log-copy-places.ts';
import { openOutput, type Output } from './output.ts';
import type { Places } from './places.ts';
import { openProgress } from './progress.ts';

export type LogCopyOptions = {
  readonly from: string;
  readonly to: string;
  readonly verifyOnly?: boolean;
  readonly leaveDamaged?: boolean;
  readonly fromCredentials?: string;
  readonly toCredentials?: string;
  readonly fromBodies?: string;
  readonly toBodies?: string;
  readonly json?: boolean;
};

export async function logCopy(places: Places, options: LogCopyOptions): Promise<void> {
  const { verifyOnly = false, leaveDamaged = false, json = false } = options;
  const [from, to] = placesOf(places, options);
  const output = openOutput();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(isInterrupted());
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const telling = openTelling(json ? output : undefined);
  try {
    const moved = await between(from, to, verifyOnly, (source, target) =>
      move(source, target, {
        ...{ verifyOnly, leaveDamaged, signal: interrupted.signal },
        onProgress: telling.tell,
      }),
    );
    telling.end();
    if (moved.end === 'complete' && to.kind === 'sqlite' && !verifyOnly) forgetLeft(to.directory);
    if (json) output.line(toAsciiJson({ result: moved }));
    else for (const line of toLines(moved, options)) output.line(line);
    if (moved.end === 'running') process.exitCode = exitTryLater;
  } finally {
    telling.end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await output.drained();
  }
}

function placesOf(places: Places, options: LogCopyOptions): readonly [CopyPlace, CopyPlace] {
  const { fromCredentials, toCredentials, fromBodies, toBodies } = options;
  const from = toCopyPlace(
    options.from,
    { credentials: fromCredentials, bodies: fromBodies },
    places,
  );
  const to = toCopyPlace(options.to, { credentials: toCredentials, bodies: toBodies }, places);
  refuseSamePlace(from, to);
  return [from, to];
}

/** Opens both, and closes them whatever happens. */
async function between<T>(
  from: CopyPlace,
  to: CopyPlace,
  verifyOnly: boolean,
  use: (source: Source, target: Target) => Promise<T>,
): Promise<T> {
  const source = await openSource(from);
  try {
    const target = await openTarget(to, verifyOnly);
    try {
      return await use(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function openSource(place: CopyPlace): Promise<Source> {
  if (place.kind === 'sqlite') return sqliteSource(place.directory);
  const { kurrentSource } = await import('../moving/kurrent-side.ts');
  return kurrentSource(place.place);
}

async function openTarget(place: CopyPlace, mustExist: boolean): Promise<Target> {
  if (place.kind === 'sqlite') return sqliteTarget(place.directory, mustExist);
  const { kurrentTarget } = await import('../moving/kurrent-side.ts');
  return kurrentTarget(place.place);
}

const isInterrupted = (): Trouble =>
  new Trouble('busy', {
    ...{ tryAgain: true, peer: 'interrupted' },
    detail: 'interrupted: what is at the target is whole, and the same command goes on there',
  });

const tellMs = 1_000;

/** A bar on a terminal; with `--json` a line a second. */
function openTelling(output: Output | undefined) {
  let bar:
    { readonly phase: Phase; readonly progress: ReturnType<typeof openProgress> } | undefined;
  let toldAt = performance.now();
  const end = (): void => {
    bar?.progress.end();
    bar = undefined;
  };
  return {
    end,
    tell(progress: Progress): void {
      const { phase, events, of, bodies, bytes } = progress;
      if (output !== undefined) {
        const now = performance.now();
        if (now - toldAt < tellMs) return;
        toldAt = now;
        output.line(toAsciiJson({ progress }));
        void output.drained();
        return;
      }
      if (bar?.phase !== phase) {
        end();
        bar = { phase, progress: openProgress(phase) };
      }
      const more = bodies === 0 ? '' : `${count(bodies, 'body', 'bodies')} (${mebibytes(bytes)})`;
      bar.progress.tell(events, Math.max(events, Math.round(of)), 'events', more);
    },
  };
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

function toLines(moved: Moved, { verifyOnly = false, leaveDamaged = false }: LogCopyOptions) {
  const { events, copied, bodies, digest, left, writer, end } = moved;
  const now = verifyOnly ? '' : `, ${copied.toLocaleString('en')} of them written now`;
  const bytes =
    bodies.copied === 0 ? '' : `, ${bodies.copied} written now (${mebibytes(bodies.bytes)})`;
  const lines = [
    `${count(events, 'event')} the same on both sides, in the same order${now}`,
    `${count(bodies.checked, 'body', 'bodies')} of letters that are not done read and compared${bytes}`,
    `sha256 of the events: ${digest}`,
    ...left.streams.map((stream) => `LEFT BEHIND: ${safe(stream)}: it has lost an event`),
    ...left.bodies.map((id) => `LOST: the body of message-${safe(id)}`),
  ];
  if (left.lost > 0) lines.push(`${count(left.lost, 'event')} lost: EventLost stands in place`);
  if (left.unknown > 0) {
    const which = 'nobody knows of which letters: they may stand where they stood before';
    lines.push(`LOST: ${count(left.unknown, 'event')}, and ${which}`);
  }
  const isWhole = left.streams.length + left.bodies.length + left.lost + left.unknown === 0;
  if (end === 'running') {
    const who = writer ?? 'somebody has written to it meanwhile';
    lines.push(`NOT the end: ${safe(who)}. Stop it, and give the same command for the rest.`);
  } else
    lines.push(
      isWhole || !leaveDamaged ? 'All is there.' : 'All but what is named above is there.',
    );
  return lines;
}
