import { beforeEach, describe, expect, it } from '@jest/globals';
import { openHealth, type LogHealth } from '../../src/log/health.ts';
import { RevisionConflict, Trouble, type TroubleCode } from '../../src/mail/trouble.ts';
import { ManualClock } from '../../src/platform/clock.ts';

const trouble = (code: TroubleCode) => new Trouble(code, { tryAgain: true, peer: code });

let clock: ManualClock;
let health: LogHealth;
let said: string[];
/** Whether a probe finds the log writable. */
let writable: boolean;

const say = (what: string) => said.push(`${(clock.now() - Date.UTC(2026, 0, 1)) / 1000} ${what}`);
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

beforeEach(() => {
  clock = new ManualClock();
  said = [];
  writable = false;
  health = openHealth({
    clock,
    probe: async ({ cause }) => {
      say(`probe after ${cause.code}`);
      if (!writable) throw cause;
    },
    onTrouble: ({ cause }) => say(cause.code),
    onRecovered: ({ since }) => say(`well after ${(clock.now() - since) / 1000}`),
  });
  health.well$.subscribe(() => say('whoever waited goes on'));
  said = [];
});

/** So many seconds, probes and their answers included. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    await settle();
  }
}

describe('a log that cannot be written', () => {
  it('is told once, however many letters hear it, and asked once a second until it is over', async () => {
    for (let letter = 0; letter < 100; letter += 1) health.note(trouble('log-full'));
    await pass(2);
    health.note(trouble('log-unavailable'));
    writable = true;
    await pass(1);
    const probes = ['1 probe after log-full', '2 probe after log-full', '3 probe after log-full'];
    expect(said).toEqual(['0 log-full', ...probes, '3 well after 3']);
    expect(health.trouble).toBeUndefined();
  });

  it('holds up whoever must write, until it is over', async () => {
    health.note(trouble('log-unavailable'));
    health.well$.subscribe(() => say('goes on'));
    await pass(3);
    expect(said).not.toContain('goes on');
    writable = true;
    await pass(1);
    expect(said.at(-1)).toBe('4 goes on');
  });

  it('that comes and goes is told ever more rarely, and forgiven after a quiet time', async () => {
    writable = true;
    for (let second = 0; second < 120; second += 1) {
      health.note(trouble('log-full'));
      await pass(1);
    }
    const waits = said
      .filter((line) => line.includes('well'))
      .map((line) => line.split(' ').at(-1));
    expect(waits).toEqual(['1', '2', '4', '8', '16', '30', '30']);
    await pass(90);
    said = [];
    health.note(trouble('log-full'));
    await pass(1);
    expect(said.at(-1)).toContain('well after 1');
  });

  it.each<TroubleCode>(['busy', 'log-damaged', 'spool-full', 'link-down'])(
    'is not meant by %s',
    (code) => {
      health.note(trouble(code));
      health.note(new RevisionConflict('message-x', 0, 1));
      expect(health.trouble).toBeUndefined();
    },
  );
});

describe('a log whose sync failed', () => {
  it.each<[string, TroubleCode[]]>([
    ['at once', ['log-broken']],
    ['in the midst of another trouble', ['log-full', 'log-broken']],
  ])('(%s) is told once and asked no more, for only a restart helps', async (_, codes) => {
    codes.forEach((code) => health.note(trouble(code)));
    health.note(trouble('log-broken'));
    writable = true;
    await pass(100);
    expect(said).toEqual(codes.map((code) => `0 ${code}`));
    expect(health.trouble?.cause.code).toBe('log-broken');
  });

  it('is asked no more after the engine stopped', async () => {
    health.note(trouble('log-full'));
    health.close();
    await pass(10);
    expect(said).toEqual(['0 log-full']);
  });
});
