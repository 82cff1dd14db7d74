import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { empty, fold } from '../../../projections/agenda.ts';
import { openReader } from '../../../src/log/sqlite/open-reader.ts';
import { verify, type Verification } from '../../../src/trace/verify.ts';
import { viewOf } from '../../support/agenda-view.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';
import { seedBacklog, seedHistory } from './seed.ts';

const now = Date.UTC(2026, 10, 21, 12);
const to = { domain: 'dead.test', port: 9 };

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const common = () => ({ dataDir: dir.path, now, bytes: 300, to });

async function read<T>(use: (log: ReturnType<typeof openReader>) => Promise<T>): Promise<T> {
  const log = openReader(dir.file('log/waybill.db'));
  try {
    return await use(log);
  } finally {
    log.close();
  }
}

const verified = (): Promise<Verification> =>
  read((log) => verify({ log, checkpoint: undefined, bodyFile: (id) => dir.file(id) }));

describe('a seeded backlog', () => {
  it.each([
    { recipients: 250, recipientsPerLetter: 1, letters: 250 },
    { recipients: 250, recipientsPerLetter: 100, letters: 3 },
  ])(
    'is mail that the audit finds nothing wrong with: $letters letters',
    async ({ letters, ...wish }) => {
      const due = { dueFrom: now + 1000, dueTo: now + 2000 };
      await seedBacklog({ ...common(), ...due, ...wish });
      const result = await verified();
      expect(result).toMatchObject({ ok: true, mistakeCount: 0 });
      expect(result.letters).toEqual({ accepted: letters, done: 0, open: letters });
      expect(result.recipients.open).toBe(250);
      expect(result.bodies.checked).toBe(letters);
    },
  );

  it('falls due between the two times, and not in the order of the letters', async () => {
    const due = { dueFrom: now + 1000, dueTo: now + 2000 };
    await seedBacklog({ ...common(), ...due, recipients: 100, recipientsPerLetter: 1 });
    const events = await read((log) => log.readAll({ limit: 10_000 }));
    const view = viewOf(events.reduce(fold, empty()));
    const times = JSON.stringify(view)
      .match(/\b17\d{11}\b/g)!
      .map(Number);
    expect(Math.min(...times)).toBe(now + 1000);
    expect(Math.max(...times)).toBeLessThan(now + 2000);
    expect(times).not.toEqual([...times].sort((a, b) => a - b));
  });

  it('may be added to what is there', async () => {
    const due = { dueFrom: now, dueTo: now + 1, recipientsPerLetter: 1 };
    await seedHistory({ ...common(), events: 500 });
    const { position } = await seedBacklog({ ...common(), ...due, recipients: 10 });
    const result = await verified();
    expect(result).toMatchObject({ ok: true, position });
  });
});

describe('a seeded past', () => {
  it('has about as many events as asked for, most letters done, none of them wrong', async () => {
    const seeded = await seedHistory({ ...common(), events: 2_000 });
    expect(Math.abs(seeded.events - 2_000)).toBeLessThan(10);
    const result = await verified();
    expect(result).toMatchObject({ ok: true, events: seeded.events });
    expect(result.letters.open / result.letters.accepted).toBeCloseTo(0.05, 2);
    expect(result.bodies.checked).toBe(result.letters.open);
  });
});
