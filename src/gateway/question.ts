/** What a client asks of `Read`, understood and checked: which events, from where, how many or for how long. */
import { runWithin } from '../platform/time-limit.ts';
import { invalidArgument } from './refusals.ts';
import { streams, type ReadReq } from './messages.ts';

export type UuidForm = 'string' | 'structured';

type Seen = { readonly stream: string; readonly type: string };

export type Filter = {
  /** Those of a page that it lets through. Throws `Refusal` when an expression takes too long to tell. */
  readonly wanted: <E extends Seen>(page: readonly E[]) => ReadonlySet<E>;
  /** A subscriber hears how far it is after so many events that it did not want or did. */
  readonly checkpointEvery: number;
};

export type Question = {
  /** Absent: the whole log. */
  readonly stream: string | undefined;
  /** A revision of the stream, or a position in the log. Inclusive when read, exclusive when subscribed to. */
  readonly from: 'start' | 'end' | number;
  readonly backwards: boolean;
  /** Events wanted; absent: a subscription. */
  readonly count: number | undefined;
  readonly filter: Filter | undefined;
  readonly uuids: UuidForm;
  /** From 1 on the client understands where a stream begins and ends. */
  readonly compatibility: number;
};

/** Of `count` in a filter's window: what the event store itself takes. */
const usualWindow = 32;

/** Throws `Refusal` for a combination that the event store would refuse, too. */
export function toQuestion(request: ReadReq): Question {
  const options = request.getOptions();
  if (options === undefined) throw invalidArgument('options are missing');
  const { StreamOptionCase, CountOptionCase } = streams.ReadReq.Options;
  const { STREAM, ALL } = StreamOptionCase;
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const subscribes = options.getCountOptionCase() === CountOptionCase.SUBSCRIPTION;
  const of = options.getStreamOptionCase();
  if (of !== STREAM && of !== ALL) throw invalidArgument('no stream is named');
  if (!subscribes && !options.hasCount()) throw invalidArgument('no count');
  if (subscribes && backwards) throw invalidArgument('a subscription goes forwards');
  if (of === STREAM && options.hasFilter()) throw invalidArgument('a stream takes no filter');
  return {
    stream: of === STREAM ? streamOf(options) : undefined,
    from: of === STREAM ? fromRevision(options) : fromPosition(options),
    backwards,
    count: subscribes ? undefined : toNumber(options.getCount()),
    filter: options.hasFilter() ? toFilter(options) : undefined,
    uuids: uuidForm(options),
    compatibility: options.getControlOption()?.getCompatibility() ?? 0,
  };
}

type Options = NonNullable<ReturnType<ReadReq['getOptions']>>;

function streamOf(options: Options): string {
  const name = options.getStream()?.getStreamIdentifier()?.getStreamName_asU8();
  if (name === undefined || name.byteLength === 0) throw invalidArgument('no stream is named');
  return Buffer.from(name).toString('utf8');
}

function fromRevision(options: Options): Question['from'] {
  const stream = options.getStream();
  if (stream?.hasRevision() === true) return toNumber(stream.getRevision());
  return stream?.hasEnd() === true ? 'end' : 'start';
}

function fromPosition(options: Options): Question['from'] {
  const all = options.getAll();
  const position = all?.getPosition();
  if (position !== undefined) return toNumber(position.getCommitPosition());
  return all?.hasEnd() === true ? 'end' : 'start';
}

function uuidForm(options: Options): UuidForm {
  const asked = options.getUuidOption();
  if (asked?.hasString() === true) return 'string';
  if (asked?.hasStructured() === true) return 'structured';
  throw invalidArgument('uuid_option is missing');
}

/** Numbers of the wire go up to 2^64: one that nothing of ours reaches is as good as any. */
const toNumber = (text: string): number => Math.min(Number(text), Number.MAX_SAFE_INTEGER);

function toFilter(options: Options): Filter {
  const filter = options.getFilter()!;
  const ofStreams = filter.getStreamIdentifier();
  const expression = ofStreams ?? filter.getEventType();
  if (expression === undefined) throw invalidArgument('the filter names nothing');
  if (!filter.hasMax() && !filter.hasCount()) throw invalidArgument('the filter has no window');
  const multiplier = filter.getCheckpointintervalmultiplier();
  if (multiplier === 0) throw invalidArgument('checkpointIntervalMultiplier must be above 0');
  const matches = toMatcher(expression.getPrefixList(), expression.getRegex());
  return {
    wanted: (page) => {
      const names = page.map(({ stream, type }) => (ofStreams === undefined ? type : stream));
      const matching = matches(names);
      return new Set(page.filter((_, index) => matching[index]));
    },
    checkpointEvery: multiplier * (filter.hasMax() ? Math.max(1, filter.getMax()) : usualWindow),
  };
}

type Matcher = (texts: readonly string[]) => readonly boolean[];

function toMatcher(prefixes: readonly string[], regex: string): Matcher {
  if (prefixes.length > 0)
    return (texts) => texts.map((text) => prefixes.some((prefix) => text.startsWith(prefix)));
  if (regex === '') throw invalidArgument('the filter names nothing');
  const pattern = toPattern(regex);
  return (texts) => {
    let matching: readonly boolean[] = [];
    const judge = (): void => void (matching = texts.map((text) => pattern.test(text)));
    for (let tries = mostTries; tries > 0; tries -= 1) {
      const before = process.threadCpuUsage();
      if (runWithin(patternMs, judge) === 'done') return matching;
      const { user, system } = process.threadCpuUsage(before);
      // Else it was others who had the processor.
      if (user + system > (patternMs * 1_000) / 2) break;
    }
    throw invalidArgument('the regular expression takes too long');
  };
}

/** For a page of events: an expression that needs longer has lost its way, and keeps everybody waiting. */
const patternMs = 200;
const mostTries = 20;

/** Longer ones are refused: a pattern is matched against every event of the log. */
const longestPattern = 500;

/**
 * The event store's expressions are .NET's, ours JavaScript's: what both understand means the same. A
 * repetition of a repetition can take for ever on the right name, and nobody needs one for a name. There are other
 * ways to take for ever: those run into the time limit.
 */
function toPattern(regex: string): RegExp {
  const isHarmless = regex.length <= longestPattern && !/[*+}]\)*[*+{]/.test(regex);
  try {
    if (isHarmless) return new RegExp(regex);
  } catch {
    // Said below.
  }
  throw invalidArgument('the regular expression is not one that is understood here');
}
