/** Measured runs as a table: a line per server and kind of run, and what Waybill is to Postfix. */
import type { Run } from './measure.ts';
import type { RoleCost } from './roles.ts';
import { fixed, formatRows, median, ratio, type Row } from './table.ts';

const columns = [
  ['accepted/s', 'acceptedPerSecond', 0],
  ['finished/s', 'finishedPerSecond', 0],
  ['CPU ms', 'cpuMs', 2],
  ['after', 'cpuAfterMs', 2],
  ['syncs', 'syncs', 2],
  ['KiB written', 'kibibytes', 1],
  ['peak MiB', 'peakMebibytes', 0],
] as const;

/** Medians of the runs that nobody disturbed; of all of them where there are none, and then marked. */
export function formatRuns(runs: readonly Run[]): string {
  const rows: Row[] = [['', '', ...columns.map(([title]) => title)]];
  for (const what of new Set(runs.map((run) => run.what))) {
    const of = (server: string) => counted(runs, server, what);
    const servers = [...new Set(runs.filter((run) => run.what === what).map((run) => run.server))];
    for (const server of servers) {
      const cells = columns.map(([, key, digits]) => fixed(medianOf(of(server), key), digits));
      const mark = of(server).some(({ disturbed }) => disturbed) ? ' ~' : '';
      rows.push([what, `${server}${mark}`, ...cells]);
    }
    if (servers.length < 2) continue;
    const ratios = columns.map(([, key]) =>
      ratio(medianOf(of('waybill'), key), medianOf(of('postfix'), key)),
    );
    rows.push(['', 'ratio', ...ratios]);
  }
  const note = runs.some(({ disturbed }) => disturbed) ? '\n~ others used the machine, too' : '';
  return formatRows(rows, 2) + note;
}

export function counted(runs: readonly Run[], server: string, what: string): readonly Run[] {
  const all = runs.filter((run) => run.server === server && run.what === what);
  const clean = all.filter(({ disturbed }) => !disturbed);
  return clean.length > 0 ? clean : all;
}

export const medianOf = (
  runs: readonly Run[],
  key: (typeof columns)[number][1],
): number | undefined => median(runs.map((run) => run[key]));

/** CPU and bytes per letter, and memory at the end, by role; medians over the rounds. */
export function formatRoles(runs: readonly Run[]): string {
  const rows: Row[] = [['', '', 'role', 'processes', 'user ms', 'system ms', 'KiB', 'MiB']];
  for (const kind of new Set(runs.map(({ server, what }) => `${what}\n${server}`))) {
    const [what = '', server = ''] = kind.split('\n');
    const costs = counted(runs, server, what).flatMap(({ roles }) => roles);
    for (const name of new Set(costs.map(({ role }) => role))) {
      const same = costs.filter(({ role }) => role === name);
      const of = (key: Exclude<keyof RoleCost, 'role'>, digits: number) =>
        fixed(median(same.map((cost) => cost[key])), digits);
      const cells = [of('processes', 0), of('userMs', 3), of('systemMs', 3), of('kibibytes', 1)];
      rows.push([what, server, name, ...cells, of('mebibytes', 0)]);
    }
  }
  return formatRows(rows, 3);
}
