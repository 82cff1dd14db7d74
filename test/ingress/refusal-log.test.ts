import { beforeEach, describe, expect, it } from '@jest/globals';
import { refusalLog } from '../../src/ingress/refusal-log.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { FaultyLog, turnOfTheLoop, type Fault } from '../support/faulty-log.ts';
import { birth } from '../support/queue-mail.ts';

let log: FaultyLog;
let clock: ManualClock;
let faults: Fault[];
let troubles: unknown[];
let perMinute: number;
let refusals: ReturnType<typeof refusalLog>;

beforeEach(() => {
  faults = [];
  troubles = [];
  perMinute = 3;
  log = new FaultyLog(new MemoryLog(), () => faults.shift() ?? 'none');
  clock = new ManualClock(birth);
  const onTrouble = (cause: unknown) => troubles.push(cause);
  refusals = refusalLog({ log, clock, perMinute: () => perMinute, onTrouble });
});

const note = (reply: string, door = 'smtp') => refusals.note({ door, peer: '192.0.2.1', reply });

/** `STREAM-WITHOUT-START TYPE WHAT` of all that was written. */
async function written(): Promise<string[]> {
  for (let turn = 0; turn < 5; turn += 1) await turnOfTheLoop();
  const events = await log.inner.readAll({ limit: 100 });
  return events.map(({ stream, type, data }) => {
    const { reply, count } = data as { reply?: string; count?: number };
    return `${stream.replace(/-[^-]*$/, '')} ${type} ${reply ?? count}`;
  });
}

describe('refusals', () => {
  it('are told in full, so many a minute, and counted beyond', async () => {
    for (let no = 1; no <= 5; no += 1) note(`553 no ${no}`);
    note('553 elsewhere', 'submission');
    clock.advance(59_999);
    expect(await written()).toEqual(
      [1, 2, 3].map((no) => `door-smtp-2026-01-01 Refused 553 no ${no}`),
    );
    clock.advance(1);
    note('553 next minute');
    expect((await written()).slice(3)).toEqual([
      'door-smtp-2026-01-01 RefusalsSuppressed 2',
      'door-submission-2026-01-01 RefusalsSuppressed 1',
      'door-smtp-2026-01-01 Refused 553 next minute',
    ]);
  });

  it('say who and what, and not which door once more', async () => {
    refusals.note({
      door: 'smtp',
      peer: '192.0.2.1',
      helo: 'h',
      recipient: 'a@b',
      reply: '553 no',
    });
    await written();
    const [event] = await log.inner.readAll({ limit: 1 });
    expect(event?.data).toEqual({
      peer: '192.0.2.1',
      helo: 'h',
      recipient: 'a@b',
      reply: '553 no',
    });
  });

  it('begin a new stream each day', async () => {
    note('1');
    clock.advance(86_400_000);
    note('2');
    expect(await written()).toEqual([
      'door-smtp-2026-01-01 Refused 1',
      'door-smtp-2026-01-02 Refused 2',
    ]);
  });

  it('set no alarm while nobody is refused', () => {
    expect(clock.next()).toBeUndefined();
    note('1');
    clock.advance(60_000);
    expect(clock.next()).toBeUndefined();
  });

  it('that were counted are told at the end', async () => {
    for (let no = 1; no <= 5; no += 1) note(`${no}`);
    refusals.close();
    refusals.close();
    expect((await written()).at(-1)).toBe('door-smtp-2026-01-01 RefusalsSuppressed 2');
    expect(clock.next()).toBeUndefined();
  });

  it('obey a limit that changes', async () => {
    perMinute = 0;
    note('1');
    expect(await written()).toEqual([]);
  });

  it('go on after trouble with the log', async () => {
    faults = ['lost', 'refused', 'full'];
    note('one');
    note('two');
    note('three');
    expect(await written()).toEqual([
      'door-smtp-2026-01-01 Refused one',
      'door-smtp-2026-01-01 Refused three',
    ]);
    expect(troubles).toMatchObject([{ code: 'log-unavailable' }, { code: 'log-full' }]);
  });

  it('of a door with an odd name stand in a stream with a plain one', async () => {
    note('no', `SMTP ${'x'.repeat(100)}\r\n`);
    expect(await written()).toEqual([`door-smtp-${'x'.repeat(35)}-2026-01-01 Refused no`]);
  });
});
