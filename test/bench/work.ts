/** The work that is measured: letters to the sink or into a mailbox, and when they were there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from './load.ts';
import type { Group } from './meter.ts';
import type { Server } from './server.ts';
import { openClient, type Timing } from './smtp-client.ts';
import type { Stage } from './stage.ts';

export type Mode = 'reused' | 'per letter';

export type RelayWish = {
  readonly mode: Mode;
  readonly letters: number;
  /** Have a client of our own beside the load, and time its letters. */
  readonly timed?: boolean;
  /** Who else is there, and is to be told apart from others. */
  readonly beside?: Group | undefined;
};

/** Nothing that is measured takes longer. */
const limitMs = 300_000;

export async function relayed(
  { sink, options }: Stage,
  server: Server,
  { mode, letters, timed = false }: RelayWish,
): Promise<Outcome> {
  const base = sink.count();
  const client = timed ? timedClient(server.port, options.bytes) : undefined;
  const sent = await send({
    ...{ port: server.port, to: 'user@sink.test', letters, reuse: mode === 'reused' },
    ...{ sessions: options.sessions, bytes: options.bytes },
  });
  const timings = await client?.stop();
  const all = letters + (timings?.length ?? 0);
  const at = await sink.reaches(base + all, limitMs);
  const acceptSeconds = (sent.to - sent.from) / 1000;
  return { letters: all, acceptSeconds, finishSeconds: (at - sent.from) / 1000, timings };
}

export async function delivered(
  { options }: Stage,
  server: Server,
  letters: number,
): Promise<Outcome> {
  const base = server.delivered();
  const sent = await send({
    ...{ port: server.port, to: server.mailbox, letters, reuse: true },
    ...{ sessions: options.sessions, bytes: options.bytes },
  });
  await allDelivered(server, base, letters, sent.from);
  const finishSeconds = (performance.now() - sent.from) / 1000;
  return { letters, acceptSeconds: (sent.to - sent.from) / 1000, finishSeconds };
}

/** Looks seldom: a look reads the whole directory, which costs the server what it costs us. */
async function allDelivered(
  server: Server,
  base: number,
  letters: number,
  from: number,
): Promise<void> {
  for (;;) {
    const there = server.delivered() - base;
    if (there >= letters) return;
    const elapsed = performance.now() - from;
    if (elapsed > limitMs) throw new Error(`${there} of ${letters} letters are in the mailbox`);
    const left = there === 0 ? 200 : (elapsed * (letters - there)) / there;
    await sleep(Math.min(1_000, Math.max(20, left / 2)));
  }
}

export type Outcome = {
  readonly letters: number;
  readonly acceptSeconds: number;
  readonly finishSeconds: number;
  readonly timings?: readonly Timing[] | undefined;
};

/** A client beside the load: letter after letter over one connection, until it is told to stop. */
function timedClient(port: number, bytes: number): { stop(): Promise<readonly Timing[]> } {
  const timings: Timing[] = [];
  let going = true;
  const run = async (): Promise<void> => {
    const client = await openClient(port, bytes);
    try {
      while (going) timings.push(await client.send('probe@sink.test'));
    } finally {
      client.close();
    }
  };
  const ended = run();
  // Heard of when it is stopped.
  ended.catch(() => undefined);
  return {
    async stop() {
      going = false;
      await ended;
      return timings;
    },
  };
}
