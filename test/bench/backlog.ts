/** Fills a server's queue with recipients that must wait. */
import { send } from './load.ts';
import { seedBacklog } from './seed/seed.ts';
import type { Server } from './server.ts';
import type { Stage } from './stage.ts';
import type { WaybillServer } from './waybill-server.ts';

const hourMs = 3_600_000;

/** More than that would take Postfix an hour. */
export const mostForPostfix = 50_000;

/** Whether the server can be given so long a queue. */
export const canHold = (name: string, recipients: number): boolean =>
  name === 'waybill' || recipients <= mostForPostfix;

/**
 * Starts the server with so many deferred recipients, and waits until it rests. Waybill's are written into its
 * log before it starts, unless they are to be sent.
 */
export async function startWithBacklog(
  stage: Stage,
  scenario: string,
  server: Server,
  recipients: number,
): Promise<void> {
  const { options, progress } = stage;
  const isSeeded = server.name === 'waybill' && options.fill === 'seed';
  let filled = 0;
  progress.step(scenario, `${server.name} gets ${recipients} deferred recipients`, () => filled);
  if (isSeeded && recipients > 0) {
    await seed(stage, (server as WaybillServer).dataDir, recipients, (done) => (filled = done));
  }
  await server.start();
  while (!isSeeded && filled < recipients) {
    const letters = Math.min(2_000, recipients - filled);
    await send({
      ...{ port: server.port, to: 'user@dead.test', letters, reuse: true },
      ...{ sessions: options.sessions, bytes: options.bytes },
    });
    filled += letters;
  }
  // A replay of millions of events, or Postfix' attempts at them, take their time.
  const patienceMs = 30_000 + recipients / 2;
  if (!(await stage.calm(patienceMs))) {
    progress.say(`${server.name} with ${recipients} waiting is not at rest; going on`);
  }
}

/** Asleep: nothing falls due while we measure. */
const seed = (
  { options, ports }: Stage,
  dataDir: string,
  recipients: number,
  onProgress: (done: number) => void,
) => {
  const now = Date.now();
  return seedBacklog({
    ...{ dataDir, now, recipients, bytes: options.seedBytes },
    recipientsPerLetter: options.recipientsPerLetter,
    to: { domain: 'dead.test', port: ports.dead },
    ...{ dueFrom: now + hourMs, dueTo: now + 25 * hourMs },
    onProgress: (letters) => onProgress(letters * options.recipientsPerLetter),
  });
};
