/** Logs to move, and places to move them to. */
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import type { Damage, EventText, LogReader, NewEvent, RecordedEvent } from '../../src/log/ports.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { BodyRef } from '../../src/mail/envelope.ts';
import { makeMessageId } from '../../src/mail/message-id.ts';
import { kurrentSource, kurrentTarget } from '../../src/moving/kurrent-side.ts';
import { move } from '../../src/moving/move.ts';
import type { CopyOptions, Moved, Side, Source, Target } from '../../src/moving/ports.ts';
import { sqliteSource, sqliteTarget } from '../../src/moving/sqlite-side.ts';
import { piecesOf } from '../../src/moving/pieces.ts';
import type { Spool } from '../../src/spool/ports.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import type { StandIn } from '../support/kurrent/stand-in.ts';
import { play, walks } from '../support/random-letters.ts';
import { birth, delivered, letter, started } from '../support/queue-mail.ts';

/** A log in memory, as both sides see it. */
export type Room = Source & Target & { readonly held: MemoryLog; readonly spool: Spool };

export function memoryRoom(name = 'memory', log = new MemoryLog()): Room {
  const spool = memorySpool(log.bodies);
  const readTexts = async (wanted: Parameters<LogReader['readAll']>[0]) => {
    const page = await log.readAll(wanted);
    return page.map(({ data, ...event }): EventText => ({ ...event, json: JSON.stringify(data) }));
  };
  return {
    ...{ name, held: log, spool },
    log: {
      readTexts,
      readStream: (...asked) => log.readStream(...asked),
      head: () => log.head(),
      damages: (): readonly Damage[] => [],
    },
    body: (ref) => piecesOf(ref, (offset, length) => spool.read(ref, offset, length)),
    async place(ref, pieces) {
      const writer = await spool.open(ref.id);
      for await (const piece of pieces) await writer.write(piece);
      await writer.stage();
      return undefined;
    },
    async append(runs) {
      for (const { stream, expected, events } of runs) await log.append(stream, expected, events);
    },
    remove: (ids) => spool.remove(ids),
    writer: async () => undefined,
    close: async () => undefined,
  };
}

/** Moves, closes both. */
export async function moveBetween(
  open: () => Promise<readonly [Source, Target]> | readonly [Source, Target],
  options: CopyOptions = {},
): Promise<Moved> {
  const [source, target] = await open();
  try {
    return await move(source, target, options);
  } finally {
    await target.close();
    await source.close();
  }
}

export const inDirectory = (directory: string) => ({
  source: () => sqliteSource(directory),
  target: () => sqliteTarget(directory),
});

export const onServer = (server: StandIn) => {
  const place = { url: server.url(), directory: '.', patienceMs: 5_000, limitMs: 500 };
  return { source: () => kurrentSource(place), target: () => kurrentTarget(place) };
};

/** All that a side holds, without positions: leases, too. */
export async function eventsOf(side: Pick<Side, 'log'>): Promise<readonly object[]> {
  const page = await side.log.readTexts({ limit: 100_000 });
  return page.map(({ position: _, ...event }) => event);
}

export async function bytesOf(side: Pick<Side, 'body'>, ref: BodyRef): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of side.body(ref)) pieces.push(piece);
  return Buffer.concat(pieces);
}

export const refTo = (id: string, bytes: Uint8Array): BodyRef => ({
  ...{ id, bytes: bytes.byteLength },
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

/** Bodies of all letters that are not done. */
export function openBodies(events: readonly RecordedEvent[]): readonly BodyRef[] {
  const refs = new Map<string, BodyRef>();
  for (const { stream, type, data } of events) {
    if (type === 'MessageAccepted') refs.set(stream, (data as { body: BodyRef }).body);
    else if (type === 'MessageCleanedUp') refs.delete(stream);
  }
  return [...refs.values()];
}

const categories = ['node-here-1', 'door-smtp-1', 'lease-one', 'lease-two', 'fence-one'] as const;

const besides = fc.record({
  stream: fc.constantFrom(...categories),
  type: fc.constantFrom('Told', 'LeaseBeat', 'ControlsLoaded'),
  data: fc.jsonValue({ maxDepth: 2 }),
  after: fc.nat(80),
});

export const plans = fc.record({
  walk: walks,
  besides: fc.array(besides, { maxLength: 25 }),
  sizes: fc.array(fc.constantFrom(0, 1, 300, 65_536, 65_537, 300_000), { minLength: 1 }),
});

export type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

/** A log as an engine would leave it: random letters, and what nodes and doors said in between. */
export async function lay(plan: Plan): Promise<Room> {
  const room = memoryRoom();
  const { events } = play(plan.walk.steps, plan.walk.sizes);
  const bodies = new Map<string, Uint8Array>();
  const revisions = new Map<string, number>();
  const add = async (stream: string, { type, v, at, data }: NewEvent): Promise<void> => {
    const expected = revisions.get(stream) ?? -1;
    revisions.set(stream, expected + 1);
    await room.held.append(stream, expected, [{ type, v, at, data }]);
  };
  for (const [index, event] of events.entries()) {
    for (const each of plan.besides.filter(({ after }) => after % events.length === index)) {
      const isLease = each.stream.startsWith('lease-');
      const data = isLease ? { open: 0, said: each.data } : each.data;
      await add(each.stream, { type: each.type, v: 1, at: event.at, data });
    }
    const id = event.stream.slice('message-'.length);
    const bytes = bodies.get(id) ?? Buffer.alloc(plan.sizes[bodies.size % plan.sizes.length]!, id);
    bodies.set(id, bytes);
    const ref = refTo(id, bytes);
    if (event.type === 'MessageAccepted') {
      await room.place(ref, one(bytes));
      await add(event.stream, { ...event, data: { ...(event.data as object), body: ref } });
    } else if (event.type === 'MessageCleanedUp') {
      await room.spool.remove([id]);
      await add(event.stream, { ...event, data: { body: id } });
    } else await add(event.stream, event);
  }
  // Else whoever reads it from an event store waits whether they are silent.
  for (const stream of [...revisions.keys()].filter((name) => name.startsWith('lease-'))) {
    await add(stream, { type: 'LeaseClosed', v: 1, at: birth, data: { open: 0 } });
  }
  return room;
}

export async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

/** Some letters, every other one done; one has a large body. */
export async function someLetters(
  room: Target,
  count: number,
  from = 0,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let n = from; n < from + count; n += 1) {
    const number = Buffer.alloc(10);
    number.writeUInt32BE(n, 6);
    const id = makeMessageId(birth + n, number);
    const bytes = Buffer.alloc(n === 2 ? 1_500_000 : 100 + n, `letter ${n} `);
    const stream = `message-${id}`;
    const [accepted, queued] = letter(`r${n}@b.test`) as [NewEvent, NewEvent];
    const ref = refTo(id, bytes);
    const first = { ...accepted, data: { ...(accepted.data as object), body: ref } };
    const body = await room.place(ref, one(bytes));
    await room.append([{ stream, expected: -1, events: [first, queued], body }]);
    if (n % 2 === 1) {
      const to = `r${n}@b.test`;
      const done = { type: 'MessageCleanedUp', v: 1, at: birth, data: { body: id } };
      await room.append([{ stream, expected: 1, events: [started([to])] }]);
      await room.append([{ stream, expected: 2, events: [delivered(0, to), done] }]);
      await room.remove([id]);
    }
    ids.push(id);
  }
  return ids;
}

/** Changes the file of a log behind everybody's back. */
export function tamper(directory: string, sql: string, ...values: readonly number[]): void {
  const db = new DatabaseSync(`${directory}/log/waybill.db`);
  db.prepare(sql).run(...values);
  db.close();
}
