/**
 * Moves a log with its bodies: looks the source over, finds how far the target has come (by the target alone:
 * nothing else remembers it), writes the rest in the one order of the source, and compares both again.
 *
 * A stop at any moment leaves a target that holds the beginning of the source; the same move goes on there.
 */
import type { EventText, StreamName } from '../log/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import { safeLine } from '../mail/sanitize.ts';
import { inlineBodyBytes } from '../spool/ports.ts';
import { takeBatch, toRuns } from './batches.ts';
import { BodyMover, bodyOf, checkBody, inParallel, type BodyCount } from './bodies.ts';
import { openComparison } from './compare.ts';
import { Cursor } from './cursor.ts';
import { Ends } from './leases.ts';
import { pagesOf } from './pages.ts';
import type { CopyOptions, LeftBehind, Moved, Phase, Source, Target } from './ports.ts';
import { survey, type Survey } from './survey.ts';
import { standIns, wanted } from './wanted.ts';

/** Bodies read side by side. */
const checkedAtOnce = 8;

type Parts = {
  readonly source: Source;
  readonly target: Target;
  readonly options: CopyOptions;
  readonly seen: Survey;
  readonly rest: () => Promise<void>;
  readonly tell: (phase: Phase, events: number, of: number, count?: BodyCount) => void;
};

/** Throws `refused` for a target that holds another log, and for damage; the signal's reason when it is aborted. */
export async function move(source: Source, target: Target, options: CopyOptions): Promise<Moved> {
  const rest = async (): Promise<void> => options.signal?.throwIfAborted();
  const tell: Parts['tell'] = (phase, events, of, { bodies, bytes } = { bodies: 0, bytes: 0 }) =>
    options.onProgress?.({ phase, events, of, bodies, bytes });
  const looked = (events: number, part: number) => tell('looking', events, events / (part || 1));
  const seen = await survey(source, { rest, onProgress: looked });
  if (options.leaveDamaged !== true) refuseDamage(seen, source);
  // It may take as long as a node may be silent; asked for at the end, when it may have failed.
  const writing = source.writer(seen.leases);
  writing.catch(() => undefined);
  const parts = { source, target, options, seen, rest, tell };
  const copied = options.verifyOnly === true ? nothing : await copyRest(parts);
  const checked = await verify(parts);
  const writer = await writing;
  const hasGrown = (await source.log.head()) > seen.upTo;
  return {
    end: writer !== undefined || hasGrown ? 'running' : 'complete',
    events: checked.events,
    copied: copied.events,
    bodies: { checked: checked.bodies, copied: copied.bodies, bytes: copied.bytes },
    from: seen.upTo,
    to: await target.log.head(),
    digest: checked.digest,
    left: {
      ...{ streams: [...seen.torn].sort(), lost: standIns(seen), unknown: seen.unknown },
      bodies: checked.lost,
    },
    writer,
  };
}

const nothing = { events: 0, bodies: 0, bytes: 0 };

async function copyRest(parts: Parts): Promise<BodyCount & { readonly events: number }> {
  const { source, target, seen, rest, tell, options } = parts;
  const events = new Cursor(wanted(source, seen, rest));
  const bodies = new BodyMover(source, target, options.leaveDamaged === true);
  const { ends, open, ...there } = await standingAt(parts, events);
  const { count } = bodies;
  let written = 0;
  const bodyBytes = (event: EventText): number =>
    needsBody(event, seen) ? Math.min(bodyOf(event)!.bytes, inlineBodyBytes) : 0;
  const prepare = async () => {
    const batch = ends.inLine(await takeBatch(events, bodyBytes));
    const placed = await bodies.place(batch.filter((event) => needsBody(event, seen)));
    return { batch, runs: toRuns(batch, placed) };
  };
  // The next is read, and its bodies are placed, while one is written.
  for (let next = prepare(); ;) {
    const { batch, runs } = await next;
    if (batch.length === 0) return { events: written, ...count };
    await rest();
    next = prepare();
    next.catch(() => undefined);
    try {
      await target.append(runs);
    } catch (cause) {
      await next.catch(() => undefined);
      throw cause;
    }
    await target.remove(endedOf(batch, open));
    written += batch.length;
    tell('copying', there.events + written, seen.events + standIns(seen), count);
  }
}

type Standing = {
  readonly events: number;
  readonly ends: Ends;
  /** Letters that the target thinks are not done: their bodies may be there. */
  readonly open: Set<StreamName>;
};

/** How far the target has come; `events` go on from there. */
async function standingAt({ target, seen, rest, tell }: Parts, events: Cursor): Promise<Standing> {
  const open = new Set<StreamName>();
  const ends = new Ends();
  const comparison = openComparison({
    onSame: (event) => {
      const { stream, type } = event;
      ends.note(event);
      if (type === 'MessageAccepted') open.add(stream);
      else if (type === 'MessageCleanedUp') open.delete(stream);
    },
    onPage: (done) => tell('comparing', done, seen.events),
  });
  await comparison.follow(events, new Cursor(pagesOf(target, Infinity, rest)));
  return { events: comparison.events, ends, open };
}

const needsBody = ({ stream, type }: EventText, { open }: Survey): boolean =>
  type === 'MessageAccepted' && open.has(stream);

/** Bodies that came with an earlier part of the move, of letters that have ended since. */
function endedOf(batch: readonly EventText[], open: Set<StreamName>): readonly string[] {
  return batch
    .filter(({ stream, type }) => type === 'MessageCleanedUp' && open.delete(stream))
    .map(({ json }) => (JSON.parse(json) as { body: string }).body);
}

type Checked = {
  readonly events: number;
  readonly digest: string;
  readonly bodies: number;
  readonly lost: LeftBehind['bodies'];
};

/** All of both sides once more, and the bodies at the target. */
async function verify({ source, target, options, seen, rest, tell }: Parts): Promise<Checked> {
  const leaveDamaged = options.leaveDamaged === true;
  const lost: string[] = [];
  const count = { bodies: 0, bytes: 0 };
  let waiting: EventText[] = [];
  const ends = new Ends();
  const check = async (event: EventText): Promise<void> => {
    const found = await checkBody(event, source, target, leaveDamaged);
    const { id, bytes } = bodyOf(event)!;
    if (found === 'lost') lost.push(id);
    if (found !== 'there') return;
    count.bodies += 1;
    count.bytes += bytes;
  };
  const comparison = openComparison({
    onSame: (event) => {
      ends.note(event);
      if (needsBody(event, seen)) waiting.push(event);
    },
    onPage: async (done) => {
      const some = waiting;
      waiting = [];
      await inParallel(some, checkedAtOnce, check);
      tell('verifying', done, seen.events, count);
    },
  });
  const events = new Cursor(wanted(source, seen, rest));
  await comparison.follow(events, new Cursor(pagesOf(target, Infinity, rest)));
  if ((await events.ready()) > 0) throw lacks(events.next!, target, comparison.events);
  seen.ends.refuseOthers(ends);
  return {
    ...{ events: comparison.events, digest: comparison.digest(), bodies: count.bodies },
    lost: lost.sort(),
  };
}

const lacks = ({ type, stream, revision }: EventText, { name }: Target, events: number): Trouble =>
  new Trouble('refused', {
    ...{ tryAgain: false, peer: 'refused' },
    detail: `${name} is not complete: it holds ${events} events, and ends before ${safeLine(type, 80)} (event ${revision} of ${safeLine(stream, 120)})`,
  });

/** So many are named. */
const mostNamed = 5;

function refuseDamage({ damages, torn, holes }: Survey, { name }: Source): void {
  if (damages.length === 0 && torn.size === 0 && holes.size === 0) return;
  const events = damages.map(
    ({ position, stream, what }) =>
      `event ${position}${stream === undefined ? '' : ` of ${safeLine(stream, 120)}`} (${safeLine(what, 80)})`,
  );
  const gaps = [...holes].map(([position, missing]) => `${missing} before position ${position}`);
  const all = [...events, ...(events.length === 0 ? [...torn, ...gaps] : [])];
  const named = all.slice(0, mostNamed).join('; ');
  const more = all.length > mostNamed ? `; and ${all.length - mostNamed} more` : '';
  throw new Trouble('refused', {
    ...{ tryAgain: false, peer: 'refused' },
    detail: `${name} is damaged: ${named}${more}. Nothing was copied. To copy all but the letters that are hit by it: --leave-damaged`,
  });
}
