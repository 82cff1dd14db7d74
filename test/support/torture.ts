/**
 * Kills the engine again and again under load and then does the accounts: every letter that got a 250
 * is delivered, bounced or still queued; none is delivered twice unless the log says that an attempt
 * was in doubt.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeEngine, freePort, type Engine, type Role } from './engine.ts';
import { load, openLedger, tokenOf, type Ledger } from './ledger.ts';
import { openSink, type Sink } from './sink.ts';
import { until } from './until.ts';

export type TortureOptions = {
  readonly kills: number;
  readonly sessions: number;
  /** Seeds who is killed and when. */
  readonly seed: number;
  readonly onKill?: (n: number, roles: readonly Role[]) => void;
  /** Longest pause between two kills, ms. */
  readonly pauseMs?: number;
};

export type Accounts = {
  readonly accepted: number;
  readonly unsure: number;
  readonly delivered: number;
  readonly bounced: number;
  readonly queued: number;
  readonly lost: readonly string[];
  /** Delivered more than once though no attempt was in doubt. */
  readonly unexplained: readonly string[];
  readonly duplicates: number;
  readonly inDoubt: number;
  readonly verify: { readonly code: number; readonly stdout: string; readonly stderr: string };
};

/** At the least. */
const lettersPerKill = 5;

const victims: readonly (readonly Role[])[] = [
  ['queue'],
  ['door'],
  ['remote'],
  ['local'],
  ['start'],
  ['start', 'queue', 'door', 'remote', 'local'],
];

export async function torture(options: TortureOptions): Promise<Accounts> {
  const random = mulberry(options.seed);
  const sink = await openSink(await freePort(), {
    // One in ten is put off for now, one in twenty refused for good.
    data: () => (random() < 0.1 ? '451 later' : '250 accepted'),
    rcpt: (address) => (address.startsWith('bad') ? '550 no such user' : '250 ok'),
  });
  const engine = await makeEngine({
    control: { smtproutes: `sink.test:127.0.0.1:${sink.port}\n` },
  });
  const ledger = openLedger();
  let going = true;
  try {
    await engine.start();
    const loading = load(ledger, {
      port: engine.port,
      sessions: options.sessions,
      from: 'demo@demo.test',
      to: recipientOf,
      goOn: () => going,
    });
    await killAgainAndAgain(engine, ledger, options, random);
    going = false;
    await loading;
    await settle(engine, sink);
    await engine.stop();
    return await doAccounts(engine, sink, ledger);
  } finally {
    going = false;
    await engine.remove();
    await sink.shut();
  }
}

/** Most go out, some stay here, some are for nobody. */
function recipientOf(n: number): string {
  if (n % 20 === 7) return `bad${n}@sink.test`;
  return n % 4 === 0 ? 'demo@demo.test' : `user${n}@sink.test`;
}

async function killAgainAndAgain(
  engine: Engine,
  { accepted }: Ledger,
  { kills, onKill, pauseMs = 400 }: TortureOptions,
  random: () => number,
): Promise<void> {
  for (let n = 1; n <= kills; n += 1) {
    await sleep(30 + random() * pauseMs);
    // A slow machine shall have something to lose, too.
    await until(() => accepted.size >= lettersPerKill * n, 'letters');
    const roles = victims[Math.floor(random() * victims.length)]!;
    onKill?.(n, roles);
    await engine.kill(...roles);
    if (roles.includes('start')) await engine.start();
  }
}

/** The far side behaves from now on; everything is tried until nothing waits or nothing moves. */
async function settle(engine: Engine, sink: Sink): Promise<void> {
  sink.answers = { rcpt: sink.answers.rcpt!, data: () => '250 accepted' };
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    await sleep(500);
    engine.signal('SIGALRM');
    await sleep(500);
    const { stdout } = await engine.waybill('queue', '--json', '--limit', '1');
    if (stdout.trim() === '') return;
  }
}

async function doAccounts(engine: Engine, sink: Sink, ledger: Ledger): Promise<Accounts> {
  const times = new Map<string, number>();
  const count = (token: string | undefined) => {
    if (token !== undefined) times.set(token, (times.get(token) ?? 0) + 1);
  };
  const bounced = new Set<string>();
  for (const { body } of sink.letters) count(tokenOf(body));
  for (const file of engine.maildir('demo')) {
    const text = readFileSync(file, 'latin1');
    const isBounce = text.includes('Hi. This is the qmail-send program');
    if (isBounce) bounced.add(tokenOf(text) ?? '');
    else count(tokenOf(text));
  }
  const verify = await engine.waybill('verify', '--json');
  const queue = await engine.waybill('queue', '--json', '--limit', '1000000');
  const queued = new Set(
    [...queue.stdout.matchAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g)].map(([id]) => id),
  );
  const doubtful = await lettersInDoubt(engine);
  const lost: string[] = [];
  const unexplained: string[] = [];
  for (const [token, id] of ledger.accepted) {
    const copies = times.get(token) ?? 0;
    if (copies === 0 && !bounced.has(token) && !queued.has(id)) lost.push(`${token} ${id}`);
    if (copies > 1 && !doubtful.has(id)) unexplained.push(`${token} ${id} x${copies}`);
  }
  return {
    accepted: ledger.accepted.size,
    unsure: ledger.unsure.size,
    delivered: times.size,
    bounced: bounced.size,
    queued: queued.size,
    lost,
    unexplained,
    duplicates: [...times.values()].filter((copies) => copies > 1).length,
    inDoubt: doubtful.size,
    verify,
  };
}

/** Letters with a verdict that says nobody knows how the attempt ended. */
async function lettersInDoubt(engine: Engine): Promise<ReadonlySet<string>> {
  const { stdout } = await engine.waybill('log', '--type', 'RecipientDeferred');
  const failed = await engine.waybill('log', '--type', 'RecipientFailed');
  return new Set(
    `${stdout}\n${failed.stdout}`
      .split('\n')
      .filter((line) => line.includes('"doubt":true'))
      .map((line) => (JSON.parse(line) as { stream: string }).stream.replace('message-', '')),
  );
}

/** A small generator of chance that gives the same again for the same seed. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
