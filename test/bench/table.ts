/** Figures to text: medians over the rounds, and what Waybill is to Postfix. */

export type Run = {
  readonly server: string;
  readonly what: string;
  readonly queue: string;
  readonly letters: number;
  readonly acceptedPerSecond: number;
  readonly finishedPerSecond: number;
  /** Per letter. */
  readonly cpuMs: number;
  readonly syncs: number;
  readonly kibibytes: number;
  readonly peakMebibytes: number;
};

export type Figures = {
  readonly letters: number;
  readonly bytes: number;
  readonly rounds: number;
  readonly backlog: number;
  readonly runs: Run[];
};

const columns = [
  ['accepted/s', 'acceptedPerSecond', 0],
  ['finished/s', 'finishedPerSecond', 0],
  ['CPU ms', 'cpuMs', 2],
  ['syncs', 'syncs', 2],
  ['KiB written', 'kibibytes', 1],
  ['peak MiB', 'peakMebibytes', 0],
] as const;

export function formatTable({ letters, bytes, rounds, backlog, runs }: Figures): string {
  const kinds = [...new Set(runs.map(({ what, queue }) => `${what}|${queue}`))];
  const lines = [
    `${letters} letters of ${bytes} bytes a run, 20 sessions, medians of ${rounds}; CPU, syncs and KiB are per letter.`,
    '',
    row('', '', ...columns.map(([title]) => title)),
  ];
  for (const kind of kinds) {
    const [what = '', queue = ''] = kind.split('|');
    const of = (server: string) =>
      runs.filter((run) => run.server === server && run.what === what && run.queue === queue);
    for (const server of ['waybill', 'postfix']) {
      const figures = columns.map(
        ([, key, digits]) => medianOf(of(server), key)?.toFixed(digits) ?? '-',
      );
      if (of(server).length > 0) lines.push(row(title(what, queue, backlog), server, ...figures));
    }
    if (of('waybill').length > 0 && of('postfix').length > 0) {
      const ratios = columns.map(([, key]) => {
        const ratio = medianOf(of('waybill'), key)! / medianOf(of('postfix'), key)!;
        return `${ratio.toFixed(2)}x`;
      });
      lines.push(row('', 'ratio', ...ratios), '');
    }
  }
  return lines.join('\n');
}

const title = (what: string, queue: string, backlog: number): string =>
  queue === 'deep' ? `${what}, ${backlog} waiting` : what;

const row = (first: string, second: string, ...rest: readonly string[]): string =>
  [first.padEnd(26), second.padEnd(9), ...rest.map((cell) => cell.padStart(12))].join('').trimEnd();

function medianOf(runs: readonly Run[], key: (typeof columns)[number][1]): number | undefined {
  const sorted = runs.map((run) => run[key]).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
