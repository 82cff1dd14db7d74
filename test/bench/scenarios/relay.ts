/** Letters in over SMTP and out to another server: how many a second, and what each costs. */
import { calibrate, relay, undisturbed, type Run } from '../measure.ts';
import { formatRoles, formatRuns } from '../run-table.ts';
import type { Part, Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { relayed, type Mode } from '../work.ts';

const modes: readonly Mode[] = ['reused', 'per letter'];

export const relayScenario: Scenario = {
  name: 'relay',
  title: 'Relay: from smtp-source through the server to smtp-sink, empty queue',
  steps: ({ options, servers }) => options.rounds * servers.length * modes.length,
  async run(stage) {
    const { options, servers, progress, sink } = stage;
    const runs: Run[] = [];
    const letters = new Map<string, number>();
    // In turns, so that a slow phase of the machine hits all of them.
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const name of servers) {
        const server = await stage.make(name);
        await server.start();
        for (const mode of modes) {
          progress.step('relay', `round ${round}, ${name}, ${mode}`, sink.count);
          const warmed = await calibrate(stage, async (count) => {
            const outcome = await relayed(stage, server, { mode, letters: count });
            return outcome.finishSeconds;
          });
          // The first round says how many; a round is comparable to the others.
          const count = letters.get(name + mode) ?? warmed;
          letters.set(name + mode, count);
          runs.push(
            await undisturbed(stage, () => relay(stage, server, mode, { mode, letters: count })),
          );
        }
        await stage.done(server);
      }
    }
    return partOf(stage, runs);
  },
};

export const partOf = ({ options }: Stage, runs: readonly Run[]): Part => ({
  text: options.roles ? `${formatRuns(runs)}\n\n${formatRoles(runs)}` : formatRuns(runs),
  data: runs,
});
