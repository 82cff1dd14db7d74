/**
 * qmail's table of addresses that did not answer (tcpto.c), so that a dead host costs a connection
 * timeout now and then, not once a letter. Pure: who holds the table brings the time.
 */
import type { Moment } from '../../platform/clock.ts';

/** `at` by the steady clock of whoever holds the table. */
export type TimeoutRecord = { readonly count: number; readonly at: Moment };

/** By IP address. An address that answers has no record. */
export type TcpTimeouts = Map<string, TimeoutRecord>;

/** qmail had room for 64 (and only IPv4). */
export const tcptoRoom = 1024;
const highestCount = 10;
/** Many attempts time out at once when a host dies: they count as one. */
const sameTimeoutMs = 120_000;

export const emptyTcpto = (): TcpTimeouts => new Map();

/** How long a silent address is left alone: 64 to 97 minutes, drawn once per process. */
export const drawPatience = (random: () => number): number =>
  (60 + Math.floor(random() * 32)) * 64_000;

/** Whether to pass an address by without trying it. */
export function passesBy(table: TcpTimeouts, address: string, now: Moment, patienceMs: number) {
  const record = table.get(address);
  return record !== undefined && record.count >= 2 && now - record.at < patienceMs;
}

/** A connection attempt got no answer in time. */
export function noteTimeout(table: TcpTimeouts, address: string, now: Moment): void {
  const record = table.get(address);
  if (record === undefined) {
    if (table.size >= tcptoRoom) forgetOne(table);
    table.set(address, { count: 1, at: now });
  } else if (now - record.at >= sameTimeoutMs) {
    table.set(address, { count: Math.min(record.count + 1, highestCount), at: now });
  }
}

/** The address answered, be it with a refusal. */
export const noteAnswer = (table: TcpTimeouts, address: string): void => void table.delete(address);

/** The oldest goes first; each timeout counted makes a record 1024 seconds younger. */
function forgetOne(table: TcpTimeouts): void {
  let victim: string | undefined;
  let least = Infinity;
  for (const [address, { count, at }] of table) {
    const worth = at + 1_024_000 * count;
    if (worth < least) [victim, least] = [address, worth];
  }
  if (victim !== undefined) table.delete(victim);
}

/** As `qmail-tcpto` prints it, a line per address. */
export const formatTcpto = (table: TcpTimeouts, now: Moment): readonly string[] =>
  [...table].map(([address, { count, at }]) => {
    const seconds = Math.max(0, Math.floor((now - at) / 1000));
    return `${address} timed out ${seconds} seconds ago; # recent timeouts: ${count}`;
  });

/** For the link to another process, whose steady clock is another: how long ago each was, in milliseconds. */
export type TcptoSnapshot = readonly (readonly [address: string, count: number, agoMs: number])[];
export const toTcptoSnapshot = (table: TcpTimeouts, now: Moment): TcptoSnapshot =>
  [...table].map(([address, { count, at }]) => [address, count, now - at] as const);
export const fromTcptoSnapshot = (rows: TcptoSnapshot, now: Moment): TcpTimeouts =>
  new Map(
    rows.slice(0, tcptoRoom).map(([address, count, ago]) => [address, { count, at: now - ago }]),
  );
