/**
 * The log in an event store: the relay's rate and the cost of a letter, beside the embedded log; and how many
 * appends a letter takes. The stand-in of the tests is one process in memory: it shows what the client and we cost, not
 * how long a cluster takes.
 */
import { openEventStore, type Appends } from '../event-store.ts';
import { calibrate, relay, undisturbed, type Run } from '../measure.ts';
import { formatRoles, formatRuns } from '../run-table.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { fixed, formatRows, median } from '../table.ts';
import type { WaybillServer } from '../waybill-server.ts';
import { relayed } from '../work.ts';

const scenario = 'event-store';

export const eventStoreScenario: Scenario = {
  name: scenario,
  title: 'The log in an event store: relay over reused connections, beside the embedded log',
  whenAsked: true,
  steps: ({ options, servers }) => (servers.includes('waybill') ? 2 * options.rounds : 0),
  async run(stage) {
    const { options, servers } = stage;
    if (!servers.includes('waybill')) return { text: 'only Waybill has one', data: [] };
    const store = await openEventStore(stage);
    const env = { WAYBILL_LOG_ENGINE: 'kurrentdb', WAYBILL_LOG_URL: store.url };
    const runs: Run[] = [];
    const appends: Appends[] = [];
    try {
      for (let round = 1; round <= options.rounds; round += 1) {
        const embedded = await stage.makeWaybill();
        runs.push(await measured(stage, embedded, `round ${round}, SQLite`, 'SQLite'));
        await stage.done(embedded);
        const server = await stage.makeWaybill({ env });
        const counting = countedBy(store.appends);
        const run = await measured(stage, server, `round ${round}, ${store.name}`, store.name, () =>
          counting.begin(),
        );
        runs.push(run);
        const perLetter = await counting.end(run.letters);
        if (perLetter !== undefined) appends.push(perLetter);
        await stage.done(server);
      }
    } finally {
      await store.close();
    }
    return { text: textOf(runs, appends), data: { runs, appends } };
  },
};

async function measured(
  stage: Stage,
  server: WaybillServer,
  step: string,
  what: string,
  onBegin: () => Promise<void> = async () => undefined,
): Promise<Run> {
  stage.progress.step(scenario, step, stage.sink.count);
  await server.start();
  const letters = await calibrate(stage, async (count) => {
    const outcome = await relayed(stage, server, { mode: 'reused', letters: count });
    return outcome.finishSeconds;
  });
  await stage.calm();
  return undisturbed(stage, async () => {
    await onBegin();
    return relay(stage, server, what, { mode: 'reused', letters });
  });
}

/** Appends from `begin` to `end`, per letter. */
function countedBy(ask: (() => Promise<Appends>) | undefined) {
  let before: Appends = {};
  return {
    async begin(): Promise<void> {
      before = (await ask?.()) ?? {};
    },
    async end(letters: number): Promise<Appends | undefined> {
      const after = await ask?.();
      if (after === undefined) return undefined;
      const kinds = Object.entries(after);
      return Object.fromEntries(
        kinds.map(([kind, count]) => [kind, (count - (before[kind] ?? 0)) / letters]),
      );
    },
  };
}

function textOf(runs: readonly Run[], appends: readonly Appends[]): string {
  const kinds = [...new Set(appends.flatMap((each) => Object.keys(each)))].sort();
  const rows = kinds.map((kind) => [
    kind,
    fixed(median(appends.map((each) => each[kind] ?? 0)), 3),
  ]);
  return [
    formatRuns(runs),
    formatRoles(runs),
    ...(rows.length === 0 ? [] : [formatRows([['appends to', 'a letter'], ...rows], 1)]),
  ].join('\n\n');
}
