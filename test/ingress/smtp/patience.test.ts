import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Lateness, patiencesOf } from '../../../src/ingress/smtp/patience.ts';
import { defaultSmtpSettings } from '../../../src/ingress/smtp/settings.ts';

describe('a letter', () => {
  it('that comes at the pace is never late, whatever its pieces', () => {
    for (const [bytes, everyMs] of [
      [500, 1_000],
      [1, 2],
      [30_000, 60_000],
    ] as const) {
      const late = new Lateness(500, 0);
      let [before, after] = [0, 0];
      for (let now = everyMs; now <= 600_000; now += everyMs) {
        before = Math.max(before, late.total(now));
        late.piece(bytes, now);
        after = Math.max(after, late.total(now));
      }
      // Between two pieces it is late by the wait for the second one only.
      expect([before, after]).toEqual([everyMs, 0]);
    }
  });

  it('of a byte a second wastes nearly all of its time', () => {
    const late = new Lateness(500, 0);
    for (let now = 1_000; now <= 300_000; now += 1_000) late.piece(1, now);
    expect(late.total(300_000)).toBe(300 * 998);
  });

  it('cannot save up time by being fast', () => {
    const late = new Lateness(500, 0);
    late.piece(10_000_000, 1);
    expect(late.total(60_001)).toBe(60_000);
  });

  it('may come at any pace where none is asked for, but must come', () => {
    const late = new Lateness(0, 0);
    for (let now = 1_000; now <= 300_000; now += 1_000) late.piece(1, now);
    expect([late.total(300_000), late.total(400_000)]).toEqual([0, 100_000]);
  });
});

describe('lost time', () => {
  const step = fc.record({
    kind: fc.constantFrom('command', 'piece', 'resume', 'forgive'),
    afterMs: fc.nat(100_000),
    bytes: fc.nat(100_000),
  });
  it('is never less than the present silence, nor more than the time gone by', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const late = new Lateness(500, 0);
        let now = 0;
        for (const { kind, afterMs, bytes } of steps) {
          now += afterMs;
          if (kind === 'piece') late.piece(bytes, now);
          else late[kind](now);
          expect(late.silence(now)).toBe(0);
          expect(late.total(now)).toBeGreaterThanOrEqual(0);
          expect(late.total(now + 7)).toBe(late.total(now) + 7);
          expect(late.total(now)).toBeLessThanOrEqual(now);
        }
      }),
    );
  });

  it('adds up over slow commands: each gives back five seconds', () => {
    const late = new Lateness(500, 0);
    for (let n = 1; n <= 4; n += 1) late.command(n * 12_000);
    expect([late.total(48_000), late.silence(49_000)]).toEqual([28_000, 1_000]);
    late.command(48_100);
    expect(late.total(48_100)).toBe(23_100);
  });
});

describe('patience', () => {
  it('is five minutes for a stranger who is silent, and ten seconds in a door nearly full', () => {
    const { calm, busy } = patiencesOf(defaultSmtpSettings);
    expect([calm.idleMs, calm.letterMs, calm.handshakeMs]).toEqual([300_000, 300_000, 60_000]);
    expect([busy.idleMs, busy.letterMs, busy.handshakeMs]).toEqual([10_000, 30_000, 10_000]);
  });

  it('never lasts longer than timeoutsmtpd', () => {
    const { calm, busy } = patiencesOf({ ...defaultSmtpSettings, timeoutMs: 5_000 });
    for (const patience of [calm, busy]) {
      const { handshakeMs, idleMs, envelopeMs, letterMs } = patience;
      expect(Math.max(handshakeMs, idleMs, envelopeMs, letterMs)).toBe(5_000);
    }
  });
});
