/** Sums for charts, from the view database. */
import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../platform/clock.ts';
import { verdictKinds } from '../letter.ts';
import type { AgeBand, HostHealth, SaidOften, TrafficAsk, TrafficStep, Waiting } from '../ports.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;

export function trafficOf(
  db: DatabaseSync,
  { from, until, stepMs }: TrafficAsk,
): readonly TrafficStep[] {
  const step = Math.max(1, Math.round(stepMs / minuteMs));
  // Numbers are bound as reals, which do not divide as minutes should.
  const steps = 'minute / CAST(?1 AS INTEGER)';
  const sql = `SELECT ${steps} * CAST(?1 AS INTEGER) * ${minuteMs} AS at, sum(accepted) AS accepted, sum(bytes) AS bytes,
    sum(delivered) AS delivered, sum(deferred) AS deferred, sum(failed) AS failed
    FROM minute WHERE minute BETWEEN ?2 AND ?3 GROUP BY ${steps} ORDER BY at`;
  const rows = db.prepare(sql).all(step, Math.floor(from / minuteMs), Math.floor(until / minuteMs));
  return rows as unknown as readonly TrafficStep[];
}

export function saidMost(
  db: DatabaseSync,
  kind: 'deferred' | 'failed',
  since: Instant,
  limit: number,
): readonly SaidOften[] {
  const sql = `SELECT text AS reply, sum(count) AS count FROM said JOIN shape ON shape.id = said.shape
    WHERE hour >= ? AND kind = ? GROUP BY shape ORDER BY count DESC, reply LIMIT ?`;
  const rows = db.prepare(sql).all(Math.floor(since / hourMs), verdictKinds[kind], limit);
  return rows as unknown as readonly SaidOften[];
}

type HostRow = Omit<HostHealth, 'meanMs' | 'lastTrouble'> & {
  readonly ms: number;
  readonly lastTrouble: string | null;
};

export function hostsTried(db: DatabaseSync, since: Instant, limit: number): readonly HostHealth[] {
  const sql = `SELECT host, delivered, deferred, failed, ms, last_at AS lastAt,
    (SELECT coalesce(reply, text) FROM attempt JOIN shape ON shape.id = attempt.shape
      WHERE attempt.pos = trouble) AS lastTrouble
    FROM (SELECT host, sum(delivered) AS delivered, sum(deferred) AS deferred, sum(failed) AS failed,
      sum(ms) AS ms, max(last_at) AS last_at, max(trouble) AS trouble
      FROM host WHERE hour >= ? GROUP BY host
      ORDER BY sum(deferred) + sum(failed) DESC, sum(delivered) DESC, host LIMIT ?)`;
  const rows = db.prepare(sql).all(Math.floor(since / hourMs), limit) as unknown as HostRow[];
  return rows.map(({ ms, lastTrouble, ...host }) => {
    const tried = host.delivered + host.deferred + host.failed;
    return {
      ...host,
      meanMs: tried === 0 ? undefined : ms / tried,
      lastTrouble: lastTrouble ?? undefined,
    };
  });
}

export function waitingBy(db: DatabaseSync, limit: number): readonly Waiting[] {
  const sql = `SELECT host, recipients, at AS oldest FROM
    (SELECT host, count(*) AS recipients, min(letter) AS first FROM recipient WHERE state <= 1
      GROUP BY host ORDER BY recipients DESC, host LIMIT ?)
    JOIN letter ON letter.pos = first ORDER BY recipients DESC, host`;
  return db.prepare(sql).all(limit) as unknown as readonly Waiting[];
}

export function agesAt(
  db: DatabaseSync,
  now: Instant,
  bands: readonly number[],
): readonly AgeBand[] {
  const count = db.prepare(
    `SELECT count(*) AS recipients FROM recipient INDEXED BY recipient_age
     WHERE state <= 1 AND letter > ? AND letter <= ?`,
  );
  // Letters are numbered in the order in which they came: an age is a place in that order.
  const place = db.prepare('SELECT max(last) AS pos FROM minute WHERE minute < ?');
  const upTo = (ageMs: number): number => {
    if (!Number.isFinite(ageMs)) return 0;
    const minute = Math.floor((now - ageMs) / minuteMs) + 1;
    return (place.get(minute) as { pos: number | null }).pos ?? 0;
  };
  return bands.map((fromMs, index) => {
    const oldest = upTo(bands[index + 1] ?? Infinity);
    const youngest = index === 0 && fromMs <= 0 ? Number.MAX_SAFE_INTEGER : upTo(fromMs);
    return { fromMs, ...(count.get(oldest, youngest) as { recipients: number }) };
  });
}
