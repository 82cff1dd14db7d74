/** Prometheus' text format (version 0.0.4), strictly: what does not fit its grammar throws, with the line. */
export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

export type Metric = { readonly type: string; readonly help: string; readonly samples: Sample[] };

const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)(?: [0-9]+)?$/;
const labelPair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/;

/** Every sample after its HELP and TYPE, each family in one block, each series once. */
export function parseMetrics(text: string): ReadonlyMap<string, Metric> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const metrics = new Map<string, Metric>();
  const seen = new Set<string>();
  let help: [name: string, words: string] | undefined;
  let family = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', words = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') help = [name, words];
    else if (kind === 'TYPE') {
      if (help?.[0] !== name || metrics.has(name)) throw new Error(`TYPE out of place: ${line}`);
      if (!/^(counter|gauge|histogram|summary|untyped)$/.test(words))
        throw new Error(`no type: ${line}`);
      metrics.set(name, { type: words, help: help[1], samples: [] });
      family = name;
    } else {
      const sample = toSample(line);
      const base = metrics.get(family);
      const isOwn =
        sample.name === family || new RegExp(`^${family}_(bucket|sum|count)$`).test(sample.name);
      if (base === undefined || !isOwn) throw new Error(`sample out of place: ${line}`);
      const series = JSON.stringify([sample.name, sample.labels]);
      if (seen.has(series)) throw new Error(`told twice: ${line}`);
      seen.add(series);
      base.samples.push(sample);
    }
  }
  return metrics;
}

function toSample(line: string): Sample {
  const match = sampleLine.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let rest = match[2] ?? '';
  while (rest !== '') {
    const pair = labelPair.exec(rest);
    if (pair === null || pair[1]! in labels) throw new Error(`no label: ${line}`);
    labels[pair[1]!] = pair[2]!;
    rest = rest.slice(pair[0].length);
  }
  return { name: match[1]!, labels, value: Number(match[3]!.replace('Inf', 'Infinity')) };
}
