/**
 * A process of its own that works on a log, for tests of locks, crashes, other readers and full disks.
 * `node log-child.ts <job> <directory>`; says on stdout, one line each, what it has done.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noStream } from '../../src/log/ports.ts';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import { SqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import { isTrouble } from '../../src/mail/trouble.ts';
import { diskSpool } from '../../src/spool/disk/disk-spool.ts';
import { newId, noted, notes } from './log-events.ts';

const [job = '', directory = '.'] = process.argv.slice(2);
const file = join(directory, 'log.db');
const say = (line: string) => process.stdout.write(`${line}\n`);
const code = (cause: unknown) => (isTrouble(cause) ? cause.code : String(cause));

const bodyOf = (id: string) => Buffer.from(`${id}\r\n`.repeat(100));

/** Letters without end, each `accept, attempt, verdict`; every acknowledged revision is said. */
async function appendForEver(): Promise<void> {
  const log = new SqliteLog(file);
  const letter = async () => {
    const id = newId();
    const body = { ref: { id, bytes: 0, sha256: '' }, inline: bodyOf(id) };
    for (let revision = noStream; revision < 9; revision += 2) {
      const events = [noted(revision + 1), noted(revision + 2)];
      const first = revision === noStream;
      await log.append(`message-${id}`, revision, events, first ? body : undefined);
      say(`${id} ${revision + 2}`);
    }
  };
  const letters = async () => {
    for (;;) await letter();
  };
  await Promise.all(Array.from({ length: 8 }, letters));
}

/** Opens the log for writing and keeps it. */
async function hold(): Promise<void> {
  try {
    const log = new SqliteLog(file);
    await log.append(`node-${newId()}`, noStream, [noted('held')]);
    say('held');
    setInterval(() => log.counts, 1_000);
  } catch (cause) {
    say(code(cause));
  }
}

/** Reads what comes until it is told to stop, saying the number of each note. */
function follow(): void {
  const reader = openReader(file, { pollMs: 5 });
  reader.subscribe(0).subscribe((signal) => {
    say(signal.kind === 'event' ? String(notes([signal.event])[0]) : 'caught-up');
  });
}

/** Appends until the disk is full, makes room, and goes on; says what was acknowledged. */
async function fill(): Promise<void> {
  const ballast = join(directory, 'ballast');
  writeFileSync(ballast, randomBytes(256 * 1024));
  const log = new SqliteLog(file);
  const one = async (bytes: number) => {
    const id = newId();
    const inline = randomBytes(bytes);
    const ref = { id, bytes, sha256: '' };
    await log.append(`message-${id}`, noStream, [noted('a'), noted('b')], { ref, inline });
    say(`written ${id}`);
  };
  for (let refused = 0; refused < 3;) {
    await one(30_000).catch((cause: unknown) => {
      refused += 1;
      say(`refused ${code(cause)}`);
    });
  }
  rmSync(ballast);
  say('room');
  await one(1_000);
  await log.close();
  const again = new SqliteLog(file);
  for (const event of await again.readAll({ after: 0, limit: 100_000 })) {
    if (event.revision === 1) say(`found ${event.stream.slice('message-'.length)}`);
  }
  say(`damages ${again.damages().length}`);
  await again.close();
}

/** A letter with a large body, from staging to cleaning up; says what is done. */
async function stage(): Promise<void> {
  const log = new SqliteLog(file);
  const spool = diskSpool(join(directory, 'spool'), {
    read: (id) => log.readBody(`message-${id}`),
    remove: async (ids) => ids,
  });
  say('begin');
  const id = newId();
  const large = await spool.stage(id, randomBytes(200_000));
  say('staged');
  await log.append(`message-${id}`, noStream, [noted('accepted')], large);
  say('appended');
  await log.removeBodies([`message-${id}`]);
  say('removed');
  await log.append(`message-${id}`, 0, [noted('cleaned up')]);
  say('cleaned');
  await log.close();
}

/** A body that is larger than the disk, and then one that is not. */
async function overfill(): Promise<void> {
  const root = join(directory, 'spool');
  const spool = diskSpool(root, { read: () => undefined, remove: async (ids) => ids });
  await spool
    .stage(newId(), randomBytes(600_000))
    .catch((cause: unknown) => say(`refused ${code(cause)}`));
  say(`left ${readdirSync(join(root, 'incoming')).length}`);
  await spool.stage(newId(), randomBytes(100_000));
  say('staged');
}

/** Letters one after the other, whatever comes of each; then closes in order. */
async function toil(): Promise<void> {
  const log = new SqliteLog(file, {
    onTrouble: (trouble) => say(`trouble ${trouble.code}`),
    onDamage: ({ position }) => say(`damage ${position}`),
  });
  if (log.cleared !== undefined) say(`cleared ${log.cleared.events}`);
  for (const { stream, revision } of await log.readAll({ after: 0, limit: 100_000 })) {
    if (revision === 0) say(`found ${stream.slice('message-'.length)}`);
  }
  for (let letter = 0; letter < 12; letter += 1) {
    const id = newId();
    const body = { ref: { id, bytes: 0, sha256: '' }, inline: bodyOf(id) };
    await log.append(`message-${id}`, noStream, [noted('a')], body).then(
      () => say(`written ${id}`),
      (cause: unknown) => say(`refused ${code(cause)} ${id}`),
    );
  }
  await log.removeBodies([`message-${newId()}`]).catch((cause: unknown) => say(code(cause)));
  await log.close();
  say('closed');
}

/** Three large bodies, one after the other; says what became of each, and what lies about at the end. */
async function stageThree(): Promise<void> {
  const root = join(directory, 'spool');
  const spool = diskSpool(root, { read: () => undefined, remove: async (ids) => ids });
  for (let body = 0; body < 3; body += 1) {
    await spool.stage(newId(), randomBytes(100_000)).then(
      () => say('staged'),
      (cause: unknown) => say(`refused ${code(cause)}`),
    );
  }
  say(`left ${readdirSync(join(root, 'incoming')).length}`);
}

const jobs: Record<string, () => Promise<void> | void> = {
  append: appendForEver,
  hold,
  follow,
  fill,
  stage,
  overfill,
  toil,
  'stage-three': stageThree,
};
await jobs[job]!();
