/** One measured run: letters through a server to the sink, or into a mailbox, and what they cost. */
import type { Group, Reading } from './meter.ts';
import { roleCosts, type RoleCost } from './roles.ts';
import type { Server } from './server.ts';
import type { Timing } from './smtp-client.ts';
import type { Stage } from './stage.ts';
import { delivered, relayed, type Outcome, type RelayWish } from './work.ts';

export type Run = {
  readonly server: string;
  /** What sets runs of one kind apart: the mode of the connections, the queue behind it. */
  readonly what: string;
  readonly letters: number;
  readonly acceptedPerSecond: number;
  readonly finishedPerSecond: number;
  /** Per letter, until the last one has arrived; `cpuAfterMs` from then until the server rests. */
  readonly cpuMs: number;
  readonly cpuAfterMs: number;
  /** Per letter, of the whole machine. */
  readonly syncs: number;
  readonly kibibytes: number;
  readonly peakMebibytes: number;
  readonly roles: readonly RoleCost[];
  /** Cores that others used meanwhile. */
  readonly others: number;
  readonly disturbed: boolean;
  /** Cores that those used who were there on purpose, beside server and load. */
  readonly besideCores?: number;
  /** Answers to a client of our own beside the load. */
  readonly timings?: readonly Timing[];
};

/** Letters to the sink: accepted when smtp-source ends, finished when the sink has them all. */
export const relay = (stage: Stage, server: Server, what: string, wish: RelayWish): Promise<Run> =>
  measured(stage, server, what, () => relayed(stage, server, wish), wish.beside);

/** Letters into one Maildir, over reused connections. */
export const deliver = (stage: Stage, server: Server, letters: number): Promise<Run> =>
  measured(stage, server, 'Maildir', () => delivered(stage, server, letters));

async function measured(
  stage: Stage,
  server: Server,
  what: string,
  work: () => Promise<Outcome>,
  beside?: Group,
): Promise<Run> {
  const { group } = server;
  await stage.calm();
  const rolesBefore = group.roles();
  const others = stage.others();
  const before = group.read();
  const besideBefore = { at: performance.now(), cpu: beside?.read().cpu ?? 0 };
  const peak = watchPeak(group);
  const { letters, acceptSeconds, finishSeconds, timings } = await work();
  const after = group.read();
  const used = others();
  const seconds = (performance.now() - besideBefore.at) / 1000;
  const besideCores = ((beside?.read().cpu ?? 0) - besideBefore.cpu) / seconds;
  const rolesAfter = group.roles();
  const peakMebibytes = peak.end();
  await stage.calm();
  return {
    ...{ server: server.name, what, letters, peakMebibytes },
    acceptedPerSecond: letters / acceptSeconds,
    finishedPerSecond: letters / finishSeconds,
    ...costs(before, after, letters),
    cpuAfterMs: ((group.read().cpu - after.cpu) * 1000) / letters,
    roles: roleCosts(rolesBefore, rolesAfter, letters),
    others: used,
    disturbed: stage.options.quiet > 0 && used > stage.options.quiet * 1.5,
    ...(timings === undefined ? {} : { timings }),
    ...(beside === undefined ? {} : { besideCores }),
  };
}

const costs = (before: Reading, after: Reading, letters: number) => ({
  cpuMs: ((after.cpu - before.cpu) * 1000) / letters,
  syncs: (after.flushes - before.flushes) / letters,
  kibibytes: (after.kibibytes - before.kibibytes) / letters,
});

/** Private memory is cheap to look at during a run; what is shared is added when the run is over. */
function watchPeak(group: Group): { end(): number } {
  let peak = 0;
  const look = () => (peak = Math.max(peak, group.privateMemory()));
  const timer = setInterval(look, 500);
  return {
    end() {
      clearInterval(timer);
      const now = group.privateMemory();
      return Math.max(peak, now) + Math.max(0, group.memory() - now);
    },
  };
}

/**
 * How many letters make a run of the wished length; found with growing runs, which also warm the server up.
 * With a number given, a fifth of it warms up.
 */
export async function calibrate(
  { options: { letters, seconds } }: Stage,
  secondsFor: (letters: number) => Promise<number>,
): Promise<number> {
  if (letters !== undefined) {
    await secondsFor(Math.ceil(letters / 5));
    return letters;
  }
  for (let count = 300; ; count *= 3) {
    const took = await secondsFor(count);
    if (took > 0.8 || count > 5_000) {
      return Math.max(300, Math.round((count / took) * seconds));
    }
  }
}

/** The run, made again when others disturbed it, as often as is allowed; the least disturbed one counts. */
export async function undisturbed(
  { options, progress }: Stage,
  run: () => Promise<Run>,
): Promise<Run> {
  let best = await run();
  for (let tried = 1; best.disturbed && tried < options.tries; tried += 1) {
    progress.say(`others used ${best.others.toFixed(2)} cores meanwhile; again`);
    const next = await run();
    if (next.others < best.others) best = next;
  }
  return best;
}
