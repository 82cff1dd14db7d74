import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock, systemClock } from '../../src/platform/clock.ts';

describe('a clock set by hand', () => {
  it('stands still until it is pushed', () => {
    const clock = new ManualClock(1_000);
    expect([clock.now(), clock.now(), clock.next()]).toEqual([1_000, 1_000, undefined]);
    clock.advance(5);
    expect(clock.now()).toBe(1_005);
    clock.advanceTo(900);
    expect(clock.now()).toBe(1_005);
  });

  it('rings on the way, in order, each at its time', () => {
    const clock = new ManualClock(0);
    const heard: string[] = [];
    for (const due of [30, 10, 20, 99]) clock.at(due, () => heard.push(`${due} at ${clock.now()}`));
    clock.advance(50);
    expect(heard).toEqual(['10 at 10', '20 at 20', '30 at 30']);
    expect([clock.now(), clock.next()]).toEqual([50, 99]);
  });

  it('never rings at once, and rings late what was due before', () => {
    const clock = new ManualClock(100);
    let rang = 0;
    clock.at(50, () => (rang += 1));
    clock.at(100, () => (rang += 1));
    expect(rang).toBe(0);
    clock.advance(0);
    expect([rang, clock.now()]).toEqual([2, 100]);
  });

  it('rings what was arranged while it rang', () => {
    const clock = new ManualClock(0);
    const heard: number[] = [];
    const again = () => {
      heard.push(clock.now());
      if (heard.length < 4) clock.at(clock.now() + 10, again);
    };
    clock.at(10, again);
    clock.advance(25);
    expect(heard).toEqual([10, 20]);
    clock.advance(25);
    expect(heard).toEqual([10, 20, 30, 40]);
  });

  it('does not ring what was taken back, once or twice, even by another alarm', () => {
    const clock = new ManualClock(0);
    const heard: string[] = [];
    const cancel = clock.at(10, () => heard.push('cancelled'));
    cancel();
    cancel();
    const later = clock.at(20, () => heard.push('later'));
    clock.at(20, () => heard.push('same instant'));
    clock.at(15, () => later());
    const second = clock.at(30, () => heard.push('second'));
    clock.at(30 - 0, () => undefined);
    clock.at(30, () => second());
    clock.advance(100);
    expect(heard).toEqual(['same instant', 'second']);
  });

  it('does not ring what an alarm of the same instant has taken back', () => {
    const clock = new ManualClock(0);
    const heard: string[] = [];
    let cancel = (): void => undefined;
    clock.at(10, () => cancel());
    cancel = clock.at(10, () => heard.push('taken back'));
    clock.advance(10);
    expect(heard).toEqual([]);
  });

  it('rings everything once, in the order of time, however far it is pushed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { maxLength: 40 }),
        fc.array(fc.nat(300), { maxLength: 20 }),
        (dues, pushes) => {
          const clock = new ManualClock(0);
          const rang: number[] = [];
          dues.forEach((due) => clock.at(due, () => rang.push(due)));
          pushes.forEach((ms) => clock.advance(ms));
          expect(rang).toEqual(
            dues.filter((due) => due <= clock.now() && pushes.length > 0).sort((a, b) => a - b),
          );
        },
      ),
    );
  });
});

describe('a clock set by hand, when somebody sets the date', () => {
  it('has durations that do not care, and alarms at a date that do', () => {
    const clock = new ManualClock(1_000_000);
    const heard: string[] = [];
    clock.after(100, () => heard.push('after 100'));
    clock.at(1_000_200, () => heard.push('at 1000200'));
    clock.at(2_000_000, () => heard.push('at 2000000'));
    clock.set(500_000);
    clock.advance(300);
    expect([heard, clock.now(), clock.steady()]).toEqual([['after 100'], 500_300, 300]);
    clock.set(1_500_000);
    clock.advance(0);
    expect(heard).toEqual(['after 100', 'at 1000200']);
    expect(clock.next()).toBe(2_000_000);
    clock.advance(500_000);
    expect(heard).toEqual(['after 100', 'at 1000200', 'at 2000000']);
  });
});

describe('the clock of the system', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('hears within a minute that the date was set ahead', () => {
    jest.useFakeTimers({ now: 0 });
    let rang = false;
    systemClock.at(3_600_000, () => (rang = true));
    jest.advanceTimersByTime(1_000);
    jest.setSystemTime(3_600_000);
    jest.advanceTimersByTime(59_000);
    expect(rang).toBe(true);
  });

  it('waits for a date that was set back', () => {
    jest.useFakeTimers({ now: 3_600_000 });
    let rang = false;
    systemClock.at(3_601_000, () => (rang = true));
    jest.setSystemTime(0);
    jest.advanceTimersByTime(3_600_999);
    expect(rang).toBe(false);
    jest.advanceTimersByTime(60_000);
    expect(rang).toBe(true);
  });

  it('says the time', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  it('rings what is due, and not at once', async () => {
    let rang = 0;
    const ringing = new Promise<void>((resolve) => {
      systemClock.at(Date.now() - 1, () => {
        rang += 1;
        resolve();
      });
    });
    expect(rang).toBe(0);
    await ringing;
    expect(rang).toBe(1);
  });

  it('never rings early', async () => {
    const due = Date.now() + 20;
    const at = await new Promise<number>((resolve) =>
      systemClock.at(due, () => resolve(Date.now())),
    );
    expect(at).toBeGreaterThanOrEqual(due);
  });

  it('keeps an alarm that lies further ahead than a timer reaches', () => {
    // A timer told to wait longer than 2^31-1 ms would ring at once, and say so on stderr.
    const warnings: Error[] = [];
    const hear = (warning: Error) => warnings.push(warning);
    process.on('warning', hear);
    const cancel = systemClock.at(Date.now() + 2 ** 33, () => undefined);
    cancel();
    cancel();
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });
});
