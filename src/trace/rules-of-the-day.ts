/** The control files as they were: found in the log by the digest that every routing decision names. */
import type { ControlTexts } from '../control/controls.ts';
import type { NodeEvent } from '../control/events.ts';
import type { LogReader, Position, RecordedEvent } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';

export type LoadedRules = {
  readonly digest: string;
  readonly files: ControlTexts;
  readonly at: Instant;
  readonly position: Position;
};

export type NodeHistory = {
  /** Every version of the control files, by digest: when it was first loaded. */
  readonly rules: ReadonlyMap<string, LoadedRules>;
  readonly newest: LoadedRules | undefined;
  /** The last time that everything was asked to be retried. */
  readonly retryAll:
    | {
        readonly at: Instant;
        readonly position: Position;
        readonly by: string;
        readonly why: string;
      }
    | undefined;
};

/** Reads the streams of all starts; each has a few events. */
export async function readNodeHistory(
  log: Pick<LogReader, 'readStream'>,
  streams: readonly string[],
): Promise<NodeHistory> {
  const rules = new Map<string, LoadedRules>();
  let newest: LoadedRules | undefined;
  let retryAll: NodeHistory['retryAll'];
  for (const stream of streams) {
    for (const event of (await log.readStream(stream)) as readonly (RecordedEvent & NodeEvent)[]) {
      const { at, position } = event;
      if (event.type === 'RetryAllRequested' && position > (retryAll?.position ?? 0)) {
        retryAll = { at, position, by: event.data.by, why: event.data.why };
      }
      if (event.type !== 'ControlsLoaded') continue;
      const { digest, files } = event.data;
      const loaded = { digest, files, at, position };
      if (position < (rules.get(digest)?.position ?? Infinity)) rules.set(digest, loaded);
      if (position > (newest?.position ?? 0)) newest = loaded;
    }
  }
  return { rules, newest, retryAll };
}

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
    if (text !== undefined) return [{ file, line: lineOf(text, content), text: content }];
    if (files === undefined) return [{ file, line: undefined, text: content }];
    // A missing file has its default, which most often is the name in `me`.
    return files['me'] === undefined
      ? [{ file, line: undefined, text: content }]
      : [{ file: 'me', line: 1, text: `${content} (there is no ${file})` }];
  });
}

function lineOf(text: string, content: string): number | undefined {
  const wanted = content.toLowerCase().trimEnd();
  const index = text.split('\n').findLastIndex((line) => line.toLowerCase().trimEnd() === wanted);
  return index === -1 ? undefined : index + 1;
}
