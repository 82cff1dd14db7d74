/**
 * Instants as a person types them. Pure: `now` comes in. Without a zone UTC is meant, as in everything
 * that Waybill prints.
 *
 *     2026-11-21   2026-11-21 06:00   2026-11-21T06:00:00.5+01:00   @1763704800
 *     -2h   2h ago   -1d12h   now   06:00 (the last time it was that)
 *     today   yesterday 06:00   tuesday 02:00, last tuesday 02:00 (the last one that is over)
 */
import type { Instant } from '../platform/clock.ts';

const dayMs = 86_400_000;

const spans: Readonly<Record<string, number>> = {
  ...{ s: 1_000, sec: 1_000, second: 1_000, seconds: 1_000 },
  ...{ m: 60_000, min: 60_000, minute: 60_000, minutes: 60_000 },
  ...{ h: 3_600_000, hour: 3_600_000, hours: 3_600_000 },
  ...{ d: dayMs, day: dayMs, days: dayMs, w: 7 * dayMs, week: 7 * dayMs, weeks: 7 * dayMs },
};

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** `undefined` for what is no time. */
export function parseInstant(text: string, now: Instant): Instant | undefined {
  const words = text.trim().toLowerCase().replace(/\s+/g, ' ');
  if (words === 'now') return now;
  return parseCalendar(words) ?? parseEpoch(words) ?? parseAgo(words, now) ?? parseDay(words, now);
}

const calendar =
  /^(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)? ?(z|utc|[+-]\d\d:?\d\d)?$/;

/** ISO 8601, with a blank for the `T` if one likes. */
function parseCalendar(text: string): Instant | undefined {
  const match = calendar.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  const numbers = [year, month, day, hour, minute, second].map(Number);
  const [y, mo, d, h, mi, s] = numbers as [number, number, number, number, number, number];
  const at = Date.UTC(y, mo - 1, d, h, mi, s);
  // Date.UTC carries 31 February over into March, and takes the year 26 for 1926; we do not guess what was meant.
  const back = new Date(at);
  const isDay =
    back.getUTCFullYear() === y && back.getUTCMonth() === mo - 1 && back.getUTCDate() === d;
  const fits = isDay && h < 24 && mi < 60 && s < 60;
  const zoneMs = zoneOf(zone);
  if (!fits || zoneMs === undefined) return undefined;
  return at + Number(fraction.padEnd(3, '0').slice(0, 3)) - zoneMs;
}

/** The widest that any place on earth keeps, or kept: UTC-12:00 and UTC+14:00. */
const [westernmost, easternmost] = [-12 * 60, 14 * 60];

/** Milliseconds ahead of UTC; `undefined` for what is nowhere the time. */
function zoneOf(zone: string | undefined): number | undefined {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '');
  if (match === null) return 0;
  const [, sign, hours, minutes] = match;
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  if (Number(minutes) > 59 || offset < westernmost || offset > easternmost) return undefined;
  return offset * 60_000;
}

/** `@` and seconds since 1970, as date(1) has it. */
function parseEpoch(text: string): Instant | undefined {
  const match = /^@(\d{1,11})(?:\.(\d{1,3}))?$/.exec(text);
  return match === null
    ? undefined
    : Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0'));
}

/** `-2h`, `-1d12h`, `2 hours ago`. */
function parseAgo(text: string, now: Instant): Instant | undefined {
  const body = /^-(.+)$/.exec(text)?.[1] ?? /^(.+?) ?ago$/.exec(text)?.[1];
  if (body === undefined || !/^(?:\d+ ?[a-z]+ ?)+$/.test(body)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of body.matchAll(/(\d+) ?([a-z]+)/g)) {
    const size = spans[unit!];
    if (size === undefined) return undefined;
    ms += Number(amount) * size;
  }
  // Beyond that no date has a name.
  return now - ms < -farthestMs ? undefined : now - ms;
}

/** From 1970, both ways: ECMA-262 §21.4.1.1. */
const farthestMs = 8.64e15;

/** A day by name, a time of day, or both. */
function parseDay(text: string, now: Instant): Instant | undefined {
  const match = /^(?:(?:last )?([a-z]+))?(?:^| |$)(?:(\d\d?):(\d\d))?$/.exec(text);
  if (match === null || text === '') return undefined;
  const [, name, hour, minute] = match;
  const timeMs = hour === undefined ? 0 : (Number(hour) * 60 + Number(minute)) * 60_000;
  if (timeMs >= dayMs || Number(minute ?? 0) > 59) return undefined;
  const today = now - (((now % dayMs) + dayMs) % dayMs);
  if (name === undefined) return today + timeMs <= now ? today + timeMs : today - dayMs + timeMs;
  if (name === 'today') return today + timeMs;
  if (name === 'yesterday') return today - dayMs + timeMs;
  const wanted = weekdays.findIndex((day) => day === name || day.slice(0, 3) === name);
  if (wanted === -1) return undefined;
  const back = (new Date(today).getUTCDay() - wanted + 7) % 7 || 7;
  return today - back * dayMs + timeMs;
}
