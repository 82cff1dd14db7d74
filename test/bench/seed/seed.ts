/**
 * Seeding: fills a data directory with mail that was never sent, through the log's real append path, in bounded
 * memory and much faster than SMTP would. For measurements only; the directory must have no engine running.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { noStream, type Position } from '../../../src/log/ports.ts';
import type { CommitPace } from '../../../src/log/sqlite/pace.ts';
import { SqliteLog } from '../../../src/log/sqlite/sqlite-log.ts';
import type { BodyRef, MessageId } from '../../../src/mail/envelope.ts';
import type { VerdictKind } from '../../../src/mail/verdict.ts';
import type { Instant } from '../../../src/platform/clock.ts';
import { messageStream, type QueueEvent } from '../../../src/queue/events.ts';
import type { StagedBody } from '../../../src/spool/ports.ts';
import { eventsOf, seededId, type Life, type SeedRoute } from './letters.ts';

export type Seeded = {
  readonly letters: number;
  readonly recipients: number;
  readonly events: number;
  readonly position: Position;
};

export type SeedOptions = {
  readonly dataDir: string;
  readonly now: Instant;
  /** Bytes of each body that is still needed. */
  readonly bytes: number;
  readonly onProgress?: (done: number, of: number) => void;
};

export type BacklogOptions = SeedOptions & {
  /** Deferred recipients. */
  readonly recipients: number;
  readonly recipientsPerLetter: number;
  /** Where nobody answers. */
  readonly to: SeedRoute;
  /** They fall due between these two, spread evenly. */
  readonly dueFrom: Instant;
  readonly dueTo: Instant;
};

/** Letters that were each tried once, deferred, and wait. */
export function seedBacklog(options: BacklogOptions): Promise<Seeded> {
  const { recipients, recipientsPerLetter, to, dueFrom, dueTo } = options;
  const letters = Math.ceil(recipients / recipientsPerLetter);
  return write(options, letters, (n, id, born, body) => ({
    ...{ id, born, body, to, verdicts: ['deferred'] },
    recipients: Math.min(recipientsPerLetter, recipients - n * recipientsPerLetter),
    // A stride that is prime to most counts: due times are not in the order of the letters.
    dueAt: dueFrom + Math.floor(((n * 7_919) % letters) * ((dueTo - dueFrom) / letters)),
  }));
}

export type HistoryOptions = SeedOptions & {
  /** About so many events. */
  readonly events: number;
  readonly to: SeedRoute;
};

/** Of each hundred letters: 80 delivered at once, 15 at the second attempt, 5 still waiting; 5.25 events each. */
const eventsPerLetter = (80 * 5 + 15 * 7 + 5 * 4) / 100;

/** A past: mail that came, went and is mostly done. */
export function seedHistory(options: HistoryOptions): Promise<Seeded> {
  const { to, now } = options;
  const letters = Math.ceil(options.events / eventsPerLetter);
  return write(options, letters, (n, id, born, body) => ({
    ...{ id, born, body, to, recipients: 1, verdicts: verdictsOf(n) },
    dueAt: now + 24 * 3_600_000,
  }));
}

function verdictsOf(n: number): readonly VerdictKind[] {
  // Coprime to 100: the kinds come mixed.
  const kind = (n * 37) % 100;
  if (kind < 80) return ['delivered'];
  return kind < 95 ? ['deferred', 'delivered'] : ['deferred'];
}

/** Letters in memory at a time. */
const chunkLetters = 2_000;

/** Over how long the letters were born. */
const pastMs = 3_600_000;

/** Nobody but us appends: what is there is written at once. */
const eager: CommitPace = { gatherMs: 0, wanted: () => 1, note: () => undefined };

async function write(
  options: SeedOptions,
  letters: number,
  lifeOf: (n: number, id: MessageId, born: Instant, body: BodyRef) => Life,
): Promise<Seeded> {
  const { dataDir, now, bytes, onProgress } = options;
  mkdirSync(join(dataDir, 'log'), { recursive: true, mode: 0o700 });
  const log = new SqliteLog(join(dataDir, 'log/waybill.db'), { pace: eager });
  const content = bodyOf(bytes);
  const sha256 = createHash('sha256').update(content).digest('hex');
  let recipients = 0;
  try {
    const first = await log.head();
    for (let from = 0; from < letters; from += chunkLetters) {
      const lives: Living[] = [];
      for (let n = from; n < Math.min(letters, from + chunkLetters); n += 1) {
        const born = now - pastMs + Math.floor((n / letters) * pastMs);
        const id = seededId(born, first + n);
        const body = { id, bytes: content.byteLength, sha256 };
        const life = lifeOf(n, id, born, body);
        const events = eventsOf(life);
        recipients += life.recipients;
        // The body of a letter that is done was removed.
        const isDone = events.at(-1)?.type === 'MessageCleanedUp';
        const staged: StagedBody = isDone ? { ref: body } : { ref: body, inline: content };
        lives.push({ stream: messageStream(id), appends: appendsOf(events), staged });
      }
      await appendInTurns(log, lives);
      onProgress?.(Math.min(letters, from + chunkLetters), letters);
    }
    const { events } = log.counts;
    return { letters, recipients, events, position: await log.head() };
  } finally {
    await log.close();
  }
}

type Living = {
  readonly stream: string;
  readonly appends: readonly (readonly QueueEvent[])[];
  readonly staged: StagedBody;
};

/** Letters live side by side: first all come in, then all are tried, and so on. */
async function appendInTurns(log: SqliteLog, lives: readonly Living[]): Promise<void> {
  const turns = Math.max(...lives.map(({ appends }) => appends.length));
  const revisions = lives.map(() => noStream);
  for (let turn = 0; turn < turns; turn += 1) {
    await Promise.all(
      lives.map(async ({ stream, appends, staged }, index) => {
        const events = appends[turn];
        if (events === undefined) return;
        const expected = revisions[index]!;
        revisions[index] = expected + events.length;
        await log.append(stream, expected, events, turn === 0 ? staged : undefined);
      }),
    );
  }
}

/** As the engine appends: accepted with queued, an attempt's start alone, its verdict with what follows. */
function appendsOf(events: readonly QueueEvent[]): QueueEvent[][] {
  const appends: QueueEvent[][] = [];
  let afterStart = false;
  for (const event of events) {
    const isStart = event.type === 'AttemptStarted';
    if (appends.length === 0 || isStart || afterStart) appends.push([event]);
    else appends.at(-1)!.push(event);
    afterStart = isStart;
  }
  return appends;
}

function bodyOf(bytes: number): Uint8Array {
  const head = 'From: sender@source.test\r\nSubject: seeded\r\n\r\n';
  const line = `${'x'.repeat(70)}\r\n`;
  const lines = Math.max(0, Math.ceil((bytes - head.length) / line.length));
  return Buffer.from(head + line.repeat(lines));
}
