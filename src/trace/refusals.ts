/** What the doors turned away and why: for whoever asks after a letter that never came to be one. */
import type { DoorEvent } from '../ingress/events.ts';
import { parseControls } from '../control/controls.ts';
import type { LogReader, Position, RecordedEvent } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import { doorSaid, ipOf, versionOf, type Entry, type RulesVersion } from './reason-entry.ts';
import { rulesBefore, type NodeHistory, type RuleLine } from './rules-of-the-day.ts';

export type Refusal = {
  readonly position: Position;
  readonly at: Instant;
  readonly door: string;
  readonly peer: string;
  readonly helo?: string;
  readonly returnPath?: string;
  readonly recipient?: string;
  /** The reply that the client got. */
  readonly reply: string;
  readonly because: RefusedBecause;
  readonly controls?: RulesVersion;
  /** The lines that speak for it; for a domain that is in no list there is none. */
  readonly lines: readonly RuleLine[];
  readonly client?: NonNullable<Entry['client']>;
};

export type RefusedBecause =
  | 'client-denied'
  | 'bad-return-path'
  | 'not-in-rcpthosts'
  | 'nobody-home'
  | 'too-large'
  | 'looping'
  | 'crowded'
  | 'injection'
  | 'trouble'
  | 'protocol';

type Refused = RecordedEvent & Extract<DoorEvent, { type: 'Refused' }>;

/** By the enhanced status code, which never changes, and words where one code has several reasons. */
export function becauseOf(reply: string): RefusedBecause {
  if (reply.startsWith('(closed without a word')) return 'client-denied';
  if (reply.startsWith('(dropped without a word')) return 'injection';
  if (/badmailfrom/.test(reply)) return 'bad-return-path';
  if (/rcpthosts/.test(reply)) return 'not-in-rcpthosts';
  const status = /^\d{3} (\d\.\d+\.\d+) /.exec(reply)?.[1];
  if (status === '5.1.1') return 'nobody-home';
  if (status === '5.3.4') return 'too-large';
  if (status === '5.4.6') return 'looping';
  if (status === '4.3.2' || /too many connections/.test(reply)) return 'crowded';
  return /^4/.test(reply) ? 'trouble' : 'protocol';
}

export type RefusalQuestion = {
  readonly log: Pick<LogReader, 'readStream'>;
  /** `door-…`. */
  readonly streams: readonly string[];
  /** An address (recipient or return path), `@domain`, or the IP address of a client. */
  readonly about: string;
  readonly upTo?: Position;
  readonly limit: number;
};

const pageEvents = 1_000;

/** The newest that fit, newest first. Reads the streams of the doors from their ends, a page at a time. */
export async function findRefusals(
  question: RefusalQuestion,
  history: NodeHistory,
): Promise<readonly Refusal[]> {
  const { streams, limit } = question;
  const found: Refusal[] = [];
  for (const stream of streams) {
    for await (const event of matching(question, stream)) {
      found.push(toRefusal(event, history));
      // Streams are not in order of time: the newest of each are candidates.
      if (found.length > 4 * limit) found.sort(newestFirst).length = limit;
    }
  }
  return found.sort(newestFirst).slice(0, limit);
}

const newestFirst = (a: Refusal, b: Refusal): number => b.position - a.position;

async function* matching(
  { log, about, upTo = Infinity, limit }: RefusalQuestion,
  stream: string,
): AsyncGenerator<Refused> {
  let told = 0;
  let from: number | undefined;
  do {
    const page = await log.readStream(stream, {
      ...{ direction: 'backwards', limit: pageEvents },
      ...(from === undefined ? {} : { from }),
    });
    for (const event of page) {
      if (event.type !== 'Refused' || event.position > upTo) continue;
      if (!isAbout(event as Refused, about)) continue;
      yield event as Refused;
      told += 1;
      if (told >= limit) return;
    }
    from = (page.at(-1)?.revision ?? 0) - 1;
  } while (from >= 0);
}

function isAbout({ data }: Refused, about: string): boolean {
  const wanted = about
    .trim()
    .replace(/^<(.*)>$/, '$1')
    .toLowerCase();
  if (ipOf(data.peer) === wanted || data.peer === wanted) return true;
  return [data.recipient, data.returnPath].some((address) => {
    const has = address?.toLowerCase();
    return wanted.startsWith('@') ? has?.endsWith(wanted) === true : has === wanted;
  });
}

export function toRefusal({ position, at, stream, data }: Refused, history: NodeHistory): Refusal {
  const because = becauseOf(data.reply);
  const rules = rulesBefore(history, position);
  const said = rules === undefined ? {} : doorSaid(data.recipient ?? '', data, rules);
  return {
    ...{ position, at, ...data, because },
    door: stream.replace(/^door-/, '').replace(/-\d{4}-\d\d-\d\d.*$/, ''),
    ...(rules === undefined ? {} : { controls: versionOf(rules) }),
    ...('client' in said && said.client !== undefined ? { client: said.client } : {}),
    lines: rules === undefined ? [] : linesFor(because, data, said, rules.files),
  };
}

function linesFor(
  because: RefusedBecause,
  { returnPath = '' }: Refused['data'],
  { client, databytes }: ReturnType<typeof doorSaid>,
  files: Readonly<Record<string, string>>,
): readonly RuleLine[] {
  if (because === 'client-denied') return client === undefined ? [] : [client];
  if (because === 'too-large')
    return client?.databytes === undefined ? (databytes ? [databytes.line] : []) : [client];
  return because === 'bad-return-path' ? badLine(returnPath, files) : [];
}

function badLine(returnPath: string, files: Readonly<Record<string, string>>): readonly RuleLine[] {
  const { badmailfrom } = parseControls(files).controls;
  const keys = [returnPath, returnPath.slice(Math.max(0, returnPath.lastIndexOf('@')))];
  const key = keys.find((each) => badmailfrom.has(each))?.toLowerCase();
  if (key === undefined) return [];
  const lines = (files['badmailfrom'] ?? '').split('\n');
  const index = lines.findIndex((line) => line.trimEnd().toLowerCase() === key);
  return [{ file: 'badmailfrom', line: index + 1, text: lines[index] ?? key }];
}
