/** The event store that Waybill's log is kept in while it is measured: the tests' stand-in, or a real one that is told by its address. */
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/engine.ts';
import { openGroup } from './meter.ts';
import { killAll, spawnIn } from './server.ts';
import type { Stage } from './stage.ts';

export type EventStore = {
  readonly name: string;
  readonly url: string;
  /** Appends taken so far, by the kind of stream; absent where nobody tells. */
  appends?(): Promise<Appends>;
  close(): Promise<void>;
};

/** `message` and `body`: appends to such streams; `removed`: bodies. */
export type Appends = Readonly<Record<string, number>>;

const answerLimitMs = 10_000;

const repository = resolve(import.meta.dirname, '../..');

/** `WAYBILL_KURRENT_URL` names a real one, which should be empty. */
export async function openEventStore(stage: Stage): Promise<EventStore> {
  const given = process.env['WAYBILL_KURRENT_URL'];
  if (given !== undefined && given !== '') {
    return { name: 'event store', url: given, close: async () => undefined };
  }
  const group = openGroup('event-store');
  const forget = stage.include(group);
  const port = await freePort();
  const program = join(repository, 'test/support/kurrent/stand-in-run.ts');
  let heard = (line: string): void => stage.progress.say(line);
  const argv = [process.execPath, '--disable-warning=ExperimentalWarning', program, String(port)];
  const child = spawnIn(group, argv, {}, (line) => heard(line));
  const ask = (): Promise<Appends> =>
    new Promise((answer, reject) => {
      const timer = setTimeout(() => reject(new Error('the stand-in is silent')), answerLimitMs);
      heard = (line) => {
        clearTimeout(timer);
        answer(JSON.parse(line) as Appends);
      };
      child.kill('SIGUSR2');
    });
  await listens(port);
  return {
    name: 'stand-in',
    url: `kurrentdb://127.0.0.1:${port}?tls=false`,
    appends: ask,
    async close() {
      await killAll(group);
      forget();
      group.close();
    },
  };
}

async function listens(port: number): Promise<void> {
  for (const until = performance.now() + answerLimitMs; performance.now() < until;) {
    const isThere = await new Promise<boolean>((answer) => {
      const socket = connect(port, '127.0.0.1', () => answer(true));
      socket.on('error', () => answer(false)).on('connect', () => socket.destroy());
    });
    if (isThere) return;
    await sleep(50);
  }
  throw new Error('the stand-in does not start');
}
