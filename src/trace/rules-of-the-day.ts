/** The control files as they were: found in the log by the digest that every routing decision names. */
import type { ControlTexts } from '../control/controls.ts';
import type { NodeEvent } from '../control/events.ts';
import type { LogReader, Position, RecordedEvent, StreamName } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Instant } from '../platform/clock.ts';

/** One loading of the control files: the event `ControlsLoaded` at `position`. */
export type LoadedRules = {
  readonly digest: string;
  readonly files: ControlTexts;
  readonly at: Instant;
  readonly position: Position;
  readonly stream?: StreamName;
};

/** Something that happened to the node, at a place of the log. */
export type NodeMoment = { readonly at: Instant; readonly position: Position };

export type RetryAll = NodeMoment & { readonly by: string; readonly why: string };

export type NodeHistory = {
  /** Every version of the control files, by digest: when it was first loaded. */
  readonly rules: ReadonlyMap<string, LoadedRules>;
  /** Every loading, oldest first; the same version may come many times, at each start for instance. */
  readonly loads?: readonly LoadedRules[];
  readonly newest: LoadedRules | undefined;
  /** Each time that everything was asked to be retried, oldest first. */
  readonly retryAlls?: readonly RetryAll[];
  /** Starts of the engine, oldest first. */
  readonly starts?: readonly NodeMoment[];
};

/** Reads the streams of all starts; each has a few events. Nothing beyond `upTo` is looked at. */
export async function readNodeHistory(
  log: Pick<LogReader, 'readStream'>,
  streams: readonly string[],
  upTo: Position = Infinity,
): Promise<NodeHistory> {
  const rules = new Map<string, LoadedRules>();
  const loads: LoadedRules[] = [];
  const starts: NodeMoment[] = [];
  const retryAlls: RetryAll[] = [];
  for (const stream of streams) {
    for (const event of await soundEvents(log, stream)) {
      const { at, position } = event;
      if (position > upTo) break;
      if (event.type === 'NodeStarted') starts.push({ at, position });
      if (event.type === 'RetryAllRequested') {
        retryAlls.push({ at, position, by: event.data.by, why: event.data.why });
      }
      if (event.type !== 'ControlsLoaded') continue;
      const { digest } = event.data;
      const known = rules.get(digest);
      // The texts of one version are kept once, however often it was loaded.
      const files = known?.files ?? event.data.files;
      const loaded = { digest, files, at, position, stream };
      loads.push(loaded);
      if (position < (known?.position ?? Infinity)) rules.set(digest, loaded);
    }
  }
  const inOrder = (a: NodeMoment, b: NodeMoment) => a.position - b.position;
  for (const moments of [loads, starts, retryAlls]) moments.sort(inOrder);
  return { rules, loads, newest: loads.at(-1), retryAlls, starts };
}

/** One event that is none must not hide the rules of all days. */
async function soundEvents(
  log: Pick<LogReader, 'readStream'>,
  stream: StreamName,
): Promise<readonly (RecordedEvent & NodeEvent)[]> {
  try {
    return (await log.readStream(stream)) as readonly (RecordedEvent & NodeEvent)[];
  } catch (cause) {
    if (!isTrouble(cause, 'log-damaged')) throw cause;
    return [];
  }
}

/** The loading that brought a version into force for an event at `position`; without one before it, its first. */
export function loadingOf(
  { loads = [], rules }: NodeHistory,
  digest: string,
  position: Position,
): LoadedRules | undefined {
  const found = loads.findLast((load) => load.digest === digest && load.position < position);
  return found ?? rules.get(digest);
}

/** What was loaded last before an event at `position`. */
export const rulesBefore = (
  { loads = [], newest }: NodeHistory,
  position: Position,
): LoadedRules | undefined => loads.findLast((load) => load.position < position) ?? newest;

/**
 * The first time that everything was asked for after `due` was set, before the event at `before`, and sooner than `due`
 * itself: what then set the time. Letters that came in later had nothing to do with it.
 */
export const retryAllSince = (
  { retryAlls = [] }: NodeHistory,
  due: NodeMoment,
  before: Position = Infinity,
): RetryAll | undefined =>
  retryAlls.find(({ at, position }) => position > due.position && position < before && at < due.at);

export type RuleLine = {
  readonly file: string;
  /** From 1; absent where a default decided, or the file is not at hand. */
  readonly line: number | undefined;
  readonly text: string;
};

/**
 * The lines that a route's `rule` names (`virtualdomains: .b.test:joe; smtproutes: :relay`). Of equal
 * lines the last is meant, as in the files themselves.
 */
export function linesOf(rule: string, files: ControlTexts | undefined): readonly RuleLine[] {
  return rule.split('; ').flatMap((part): RuleLine[] => {
    const match = /^([a-z]+): (.*)$/s.exec(part);
    if (match === null) return [];
    const [, file = '', content = ''] = match;
    if (file === 'default')
      return [{ file, line: undefined, text: 'no line speaks of it: sent to its own MX' }];
    const text = files?.[file];
    if (text !== undefined) return [found(file, text, content)];
    if (files === undefined) return [{ file, line: undefined, text: content }];
    // A missing file has its default, which most often is the name in `me`.
    return files['me'] === undefined
      ? [{ file, line: undefined, text: content }]
      : [{ file: 'me', line: 1, text: `${content} (there is no ${file})` }];
  });
}

/** The one line that a file of a single value has, or what stands for it. */
export const lineOfValue = (file: string, files: ControlTexts, value: string): RuleLine =>
  files[file] === undefined
    ? { file, line: undefined, text: `${value} (there is no ${file}: the default)` }
    : { file, line: 1, text: files[file].split('\n')[0] ?? '' };

/** A key alone stands for the line of a colon list that begins with it. */
function found(file: string, text: string, content: string): RuleLine {
  const wanted = content.toLowerCase().trimEnd();
  const lines = text.split('\n').map((line) => line.toLowerCase().trimEnd());
  const whole = lines.lastIndexOf(wanted);
  const index = whole === -1 ? lines.findLastIndex((line) => line.startsWith(`${wanted}:`)) : whole;
  if (index === -1) return { file, line: undefined, text: content };
  const shown = whole === -1 ? text.split('\n')[index]! : content;
  return { file, line: index + 1, text: shown };
}
