/** Letters in over SMTP and into one local mailbox. */
import { calibrate, deliver, undisturbed, type Run } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { partOf } from './relay.ts';
import { delivered } from '../work.ts';

export const maildirScenario: Scenario = {
  name: 'maildir',
  title: 'Maildir: from smtp-source into one mailbox',
  steps: ({ options, servers }) => options.rounds * servers.length,
  async run(stage) {
    const { options, servers, progress } = stage;
    const runs: Run[] = [];
    const letters = new Map<string, number>();
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const name of servers) {
        progress.step('maildir', `round ${round}, ${name}`);
        const server = await stage.make(name);
        await server.start();
        const warmed = await calibrate(
          stage,
          async (some) => (await delivered(stage, server, some)).finishSeconds,
        );
        const count = letters.get(name) ?? warmed;
        letters.set(name, count);
        runs.push(await undisturbed(stage, () => deliver(stage, server, count)));
        await stage.done(server);
      }
    }
    return partOf(stage, runs);
  },
};
