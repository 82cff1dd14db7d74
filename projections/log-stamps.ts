/** Time stamps as loggers put them before qmail's lines. */
import type { Instant } from '../src/platform/clock.ts';

export type Stamper = (at: Instant, line: string) => string;

export const stampers: { readonly [name: string]: (host: string, tag: string) => Stamper } = {
  tai64n: () => (at, line) => `${tai64n(at)} ${line}`,
  seconds: () => (at, line) => `${decimal(at)} ${line}`,
  syslog: (host, tag) => (at, line) => `${syslogDate(at)} ${host} ${tag}: ${decimal(at)} ${line}`,
  none: () => (_at, line) => line,
};

/** multilog: `@`, then 64 bits of TAI seconds (ten ahead of 1970's, as libtai has it) and 32 bits of nanoseconds. */
export function tai64n(at: Instant): string {
  const seconds = Math.floor(at / 1000);
  const label = `4${(seconds + 10).toString(16).padStart(15, '0')}`;
  const nanoseconds = Math.round((at - seconds * 1000) * 1e6);
  return `@${label}${nanoseconds.toString(16).padStart(8, '0')}`;
}

/** splogger: seconds and microseconds since 1970. */
export const decimal = (at: Instant): string => (at / 1000).toFixed(6);

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 3164 §4.1.2, in UTC. */
function syslogDate(at: Instant): string {
  const date = new Date(at);
  const day = String(date.getUTCDate()).padStart(2);
  return `${months[date.getUTCMonth()]} ${day} ${date.toISOString().slice(11, 19)}`;
}
