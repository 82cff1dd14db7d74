/**
 * The power goes, at any moment, and with it whatever no sync had forced to disk: what a client heard 250 for is there,
 * what the log calls delivered is in its mailbox, and the next start goes on. The long form is `npm run torture -- power`.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeEngine } from '../support/engine.ts';
import {
  cutPower,
  leaveFor,
  recordLetters,
  unfaithful,
  type Cut,
  type Recorded,
} from '../support/power-cut/power-cut.ts';
import { canRecord } from '../support/power-cut/record.ts';
import { seeded } from '../support/seeded.ts';
import { until } from '../support/until.ts';

const letters = 24;
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const starters: readonly (readonly [string, number | undefined])[] = isRoot
  ? [
      ['started by root', undefined],
      ['started by somebody', nobody],
    ]
  : [['started by somebody', undefined]];

const withStrace = canRecord ? describe : describe.skip;
if (!canRecord) console.warn('skipped, for strace cannot be used here: the power cuts');

const all = async (cuts: AsyncGenerator<Cut>): Promise<Cut[]> => {
  const made: Cut[] = [];
  for await (const cut of cuts) made.push(cut);
  return made;
};

withStrace.each(starters)('an engine whose machine loses its power, %s', (_how, uid) => {
  const seed = Math.floor(Math.random() * 1_000_000);
  let recorded: Recorded;
  beforeAll(async () => {
    recorded = await recordLetters(letters, uid);
  });
  afterAll(() => recorded.remove());

  it('is recorded to the last byte', () => {
    expect(recorded.told).toHaveLength(letters);
    expect(unfaithful(recorded)).toEqual([]);
  });

  it('has on its disk what its clients were told, wherever it was cut', async () => {
    const cuts = await all(cutPower(recorded, { cuts: 48, seed }));
    expect({ seed, wrong: cuts.filter(({ wrong }) => wrong.length > 0) }).toEqual({
      seed,
      wrong: [],
    });
    // Some while letters came in, some while they were delivered.
    expect(new Set(cuts.map(({ told }) => told)).size).toBeGreaterThan(4);
    expect(new Set(cuts.map(({ delivered }) => delivered)).size).toBeGreaterThan(4);
  });

  it('would be found out if its syncs did nothing', async () => {
    const { calls } = recorded.recording;
    const idle = calls.filter((call) => call.kind !== 'sync');
    const cuts = await all(cutPower(recorded, { cuts: 8, seed }, idle));
    expect(cuts.some(({ wrong }) => wrong.some((words) => /was accepted, and/.test(words)))).toBe(
      true,
    );
  });

  it('would be found out if it synced its log and not its mailboxes', async () => {
    const { calls } = recorded.recording;
    const idle = calls.filter((call) => call.kind !== 'sync' || !/\/mail\//.test(call.path));
    const cuts = await all(cutPower(recorded, { cuts: 24, seed }, idle));
    expect(
      cuts.some(({ wrong }) => wrong.some((words) => /is said to be delivered, and/.test(words))),
    ).toBe(true);
  });

  it('is started on what is left, and delivers all of it', async () => {
    const chance = seeded(seed);
    const due = recorded.told[Math.floor(letters / 2)]!;
    const engine = await makeEngine(uid === undefined ? {} : { uid });
    try {
      leaveFor(engine, recorded, { line: due.line + 1, fate: 'torn' }, chance, uid);
      await engine.start();
      const wanted = recorded.told.filter(({ line }) => line <= due.line).map(({ id }) => id);
      const isThere = (id: string) =>
        engine.maildir('demo').some((path) => path.includes(id.replaceAll('-', '')));
      await until(() => wanted.every(isThere), 'every accepted letter');
      const { code, stdout } = await engine.waybill('verify', '--json');
      expect({ seed, code, stdout: code === 0 ? '' : stdout }).toEqual({
        ...{ seed, code: 0, stdout: '' },
      });
      await engine.stop();
    } finally {
      await engine.remove();
    }
  });
});
