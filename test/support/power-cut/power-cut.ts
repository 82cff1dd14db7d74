/**
 * Cuts the power of a real engine's disk again and again: one recording of its work, and for each cut a disk with
 * what might have been left at that moment, on which everything that clients were told must be found.
 */
import { chownSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../engine.ts';
import { seeded, type Chance } from '../seeded.ts';
import { handIn } from '../smtp-talk.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import type { Call } from './calls.ts';
import { Disk, type Fate } from './disk.ts';
import { record, type Recording } from './record.ts';
import { acceptances, survey, type Told } from './survey.ts';

export type Recorded = {
  readonly recording: Recording;
  readonly told: readonly Told[];
  /** Every delivered file by name, as it is in the end. */
  readonly whole: ReadonlyMap<string, Buffer>;
  remove(): Promise<void>;
};

export type CutOptions = { readonly cuts: number; readonly seed: number };

export type Cut = {
  readonly line: number;
  readonly fate: Fate;
  readonly told: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly wrong: readonly string[];
};

const sessions = 6;
const fates: readonly Fate[] = ['lost', 'some', 'torn', 'kept'];
/** Every so many letters one is too large for the log, and is a file of its own. */
const largeEvery = 8;

/** An engine takes letters in and delivers them, all of them, and stops. */
export async function recordLetters(letters: number, uid?: number): Promise<Recorded> {
  const recording = await record(async (engine) => {
    let next = 0;
    const session = async (): Promise<void> => {
      while (next < letters) await send(engine, next++);
    };
    await Promise.all(Array.from({ length: sessions }, session));
    await until(() => engine.maildir('demo').length === letters, 'all deliveries', 120_000);
  }, uid);
  const folder = join(recording.engine.dataDir, 'mail/demo/Maildir/new');
  return {
    recording,
    told: acceptances(recording.calls),
    whole: new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])),
    remove: () => recording.engine.remove(),
  };
}

async function send({ port }: Engine, n: number): Promise<void> {
  const lines = n % largeEvery === largeEvery - 1 ? 2_000 : 5 + (n % 60);
  const body = `Subject: letter ${n}\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(lines)}`;
  const reply = await handIn(port, { from: 'a@b.test', to: ['demo@demo.test'], body });
  if (!reply.startsWith('250')) throw new Error(`letter ${n} was not accepted: ${reply}`);
}

/** Files whose recorded bytes are not those that really lie there: faults of the recording, not of the engine. */
export function unfaithful({ recording: { engine, calls } }: Recorded): readonly string[] {
  const disk = new Disk(engine.root, calls);
  const names = readdirSync(engine.dataDir, { recursive: true, encoding: 'utf8' });
  return names
    .map((name) => join(engine.dataDir, name))
    .filter((path) => lstatSync(path).isFile() && !isShared(path))
    .filter((path) => disk.content(path)?.equals(readFileSync(path)) !== true);
}

/** Memory that SQLite's connections share; nothing after a power cut depends on it. */
const isShared = (path: string): boolean => path.endsWith('-shm');

/** Yields after each cut. */
export async function* cutPower(
  { recording, told, whole }: Recorded,
  { cuts, seed }: CutOptions,
  calls: readonly Call[] = recording.calls,
): AsyncGenerator<Cut> {
  const chance = seeded(seed);
  const disk = new Disk(recording.engine.root, calls);
  const lines = momentsOf(recording.calls, told);
  for (let n = 0; n < cuts; n += 1) {
    const fate = fates[n % fates.length]!;
    const line = chance.one(lines);
    const left = tempDir();
    try {
      disk.leave(left.path, line, fate, () => chance.next());
      const due = told.filter((each) => each.line < line).map(({ id }) => id);
      const findings = await survey(left.file('data'), due, whole);
      yield { line, fate, told: due.length, ...findings };
    } finally {
      left.remove();
    }
  }
}

/** Just before each call and just after, from a little before the first letter to the end. */
function momentsOf(calls: readonly Call[], told: readonly Told[]): readonly number[] {
  const first = calls.findIndex(({ from }) => from >= (told[0]?.line ?? 0));
  return calls.slice(Math.max(0, first - 60)).flatMap(({ from, to }) => [from, to + 1]);
}

/** What is left after a cut, for an engine that has not been started yet; `uid`: whose it is. */
export function leaveFor(
  engine: Engine,
  { recording }: Recorded,
  cut: Pick<Cut, 'line' | 'fate'>,
  chance: Chance,
  uid?: number,
): void {
  const disk = new Disk(recording.engine.root, recording.calls);
  disk.leave(engine.root, cut.line, cut.fate, () => chance.next());
  if (uid === undefined) return;
  for (const name of readdirSync(engine.root, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(engine.root, name), uid, uid);
  }
}
