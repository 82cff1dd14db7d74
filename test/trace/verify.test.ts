import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { encodeAgenda } from '../../projections/agenda-checkpoint.ts';
import { empty, fold } from '../../projections/agenda.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import { noStream } from '../../src/log/ports.ts';
import { lastFolded } from '../../src/queue/agenda-restore.ts';
import { verify, type Verification } from '../../src/trace/verify.ts';
import { birth, delivered, letter, message } from '../support/queue-mail.ts';
import { ScavengedLog } from '../support/scavenged-log.ts';
import { openOffice, says, type Office } from './office.ts';

const bodyOf = async function* () {
  yield Buffer.from('not looked at');
};

let office: Office;
beforeEach(async () => {
  office = await openOffice();
});
afterEach(() => office.remove());

async function verified(): Promise<Verification> {
  const log = openReader(office.logFile);
  try {
    let checkpoint: Uint8Array | undefined;
    try {
      checkpoint = readFileSync(office.dir.file('checkpoints/agenda'));
    } catch {
      checkpoint = undefined;
    }
    return await verify({
      log,
      checkpoint,
      bodyFile: (id) => office.dir.file(`spool/bodies/${id}`),
    });
  } finally {
    log.close();
  }
}

/** Changes the file behind the log's back. */
function tamper(sql: string): void {
  const db = new DatabaseSync(office.logFile);
  db.exec(sql);
  db.close();
}

describe('a log that is sound', () => {
  it('adds up, and its checkpoint says the same', async () => {
    const id = await office.accept(['ann@b.test', 'bob@here.test']);
    await office.attempt(id, [0], [says('deferred', 0)]);
    await office.attempt(id, [1], [says('delivered', 1)]);
    const done = await office.accept(['eve@c.test'], { large: true });
    await office.attempt(done, [0], [says('delivered', 0)]);
    rmSync(office.dir.file(`spool/bodies/${done}`));
    await office.accept(['zoe@c.test'], { large: true });
    await office.writeCheckpoint();
    await office.accept(['later@c.test']);
    expect(await verified()).toMatchObject({
      ok: true,
      letters: { accepted: 4, done: 1, open: 3 },
      recipients: { accepted: 5, delivered: 2, failed: 0, cancelled: 0, open: 3, balanced: true },
      attempts: 3,
      checkpoint: { state: 'same' },
      bodies: { checked: 3 },
      ...{ damages: [], mistakes: [], inDoubt: [] },
    });
  });

  it('may have attempts in doubt, which are listed', async () => {
    const id = await office.accept(['ann@b.test']);
    await office.attempt(id, [0]);
    await office.do(id, {
      type: 'DoubtAttempt',
      attempt: 1,
      policy: 'retry',
      why: 'x',
      at: office.clock.now(),
    });
    const { ok, inDoubt } = await verified();
    expect(ok).toBe(true);
    expect(inDoubt).toEqual([
      { message: id, recipient: 0, attempt: 1, startedAt: birth, recordedAt: birth + 1500 },
    ]);
  });

  it('may have the checkpoint of another release, which is not used', async () => {
    writeFileSync(office.dir.file('checkpoints/agenda'), '{"fingerprint":"agenda 0"}\nrest');
    expect(await verified()).toMatchObject({ ok: true, checkpoint: { state: 'foreign' } });
  });

  it('may have a checkpoint whose last event is gone, where old events of a lease go', async () => {
    const log = new ScavengedLog(new MemoryLog());
    const beats = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ type: 'LeaseBeat', v: 1, at, data: { at } }));
    await log.append(`message-${message}`, noStream, letter('ann@b.test'));
    await log.append('lease-a', noStream, beats(2));
    await log.keepYoungest('lease-a', 3);
    const agenda = (await log.readAll({ limit: 10 })).reduce(fold, empty());
    const [last] = await log.readStream('lease-a', { direction: 'backwards', limit: 1 });
    const checkpoint = (of: typeof agenda) => Buffer.concat(encodeAgenda(of, lastFolded(last!)));
    await log.append('lease-a', 1, beats(5));
    const state = async (bytes: Uint8Array) =>
      (await verify({ log, checkpoint: bytes, bodyFile: () => '', body: bodyOf })).checkpoint.state;
    expect(await state(checkpoint(agenda))).toBe('same');
    await log.scavenge(() => true);
    expect(await log.readAll({ limit: 10 })).toHaveLength(5);
    expect(await state(checkpoint(agenda))).toBe('same');
    expect(await state(checkpoint(empty()))).toBe('wrong');
  });

  it('may be empty of letters and checkpoints', async () => {
    expect(await verified()).toMatchObject({ ok: true, events: 2, checkpoint: { state: 'none' } });
  });
});

describe('a fault is found and named', () => {
  it('when one byte of an event has changed', async () => {
    const id = await office.accept(['ann@b.test']);
    await office.do(id, { type: 'Hold', by: 'ann', why: 'x', at: birth });
    tamper(`UPDATE event SET data = replace(data, 'ann', 'eve') WHERE pos = 5`);
    const { ok, damages } = await verified();
    expect(ok).toBe(false);
    expect(damages).toEqual([
      { position: 5, stream: `message-${id}`, what: 'checksum does not match' },
    ]);
  });

  it('when an event is taken out', async () => {
    await office.accept(['ann@b.test']);
    await office.accept(['bob@b.test']);
    tamper('DELETE FROM event WHERE pos = 4');
    const { ok, damages, mistakes } = await verified();
    expect(ok).toBe(false);
    expect(damages).toMatchObject([{ position: 4, what: 'not where it should be' }]);
    expect(mistakes.map(({ what }) => what)).toEqual(['was accepted, but never queued']);
  });

  it('when the log has lost its end', async () => {
    await office.accept(['ann@b.test']);
    await office.writeCheckpoint();
    tamper('DELETE FROM event WHERE pos > 2');
    const { ok, checkpoint } = await verified();
    expect([ok, checkpoint.state]).toEqual([false, 'wrong']);
    expect(JSON.stringify(checkpoint)).toContain('lost its end');
  });

  it('when a small body has changed, or is gone', async () => {
    const id = await office.accept(['ann@b.test']);
    tamper(`UPDATE body SET content = CAST('Subject: 2' || char(13, 10, 13, 10) AS BLOB)`);
    expect((await verified()).mistakes).toMatchObject([
      { stream: `message-${id}`, what: 'its body is not what was accepted' },
    ]);
    tamper('DELETE FROM body');
    expect((await verified()).mistakes).toMatchObject([{ what: 'its body is missing' }]);
  });

  it('when a large body is cut short, or is gone', async () => {
    const id = await office.accept(['ann@b.test'], { large: true });
    const file = office.dir.file(`spool/bodies/${id}`);
    writeFileSync(file, readFileSync(file).subarray(1));
    expect((await verified()).mistakes[0]?.what).toBe(
      'its body has 70013 bytes, and should have 70014',
    );
    rmSync(file);
    expect((await verified()).mistakes[0]?.what).toBe('its body is missing');
  });

  it('when the checkpoint is damaged', async () => {
    await office.accept(['ann@b.test']);
    await office.writeCheckpoint();
    const file = office.dir.file('checkpoints/agenda');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    expect(await verified()).toMatchObject({
      ok: false,
      checkpoint: { state: 'wrong', differences: ['it is damaged'] },
    });
  });

  it('when the checkpoint is of another log', async () => {
    await office.accept(['ann@b.test']);
    office.clock.advance(1);
    await office.accept(['bob@b.test']);
    const other = await openOffice();
    try {
      await other.accept(['ann@b.test']);
      await other.writeCheckpoint();
      const file = office.dir.file('checkpoints/agenda');
      writeFileSync(file, readFileSync(other.dir.file('checkpoints/agenda')));
      // The same letter at the same instant: this far the two logs are one.
      expect((await verified()).checkpoint.state).toBe('same');
      await other.accept(['bob@b.test']);
      await other.writeCheckpoint();
      writeFileSync(file, readFileSync(other.dir.file('checkpoints/agenda')));
    } finally {
      await other.remove();
    }
    expect((await verified()).checkpoint).toMatchObject({
      state: 'wrong',
      differences: ['the event that it ends with is another one in this log'],
    });
  });

  it('when a checkpoint with a sound checksum does not follow from the log', async () => {
    const id = await office.accept(['ann@b.test']);
    await office.accept(['bob@b.test']);
    const { encodeAgenda } = await import('../../projections/agenda-checkpoint.ts');
    const { empty, fold } = await import('../../projections/agenda.ts');
    const events = await office.log.readAll({ limit: 100 });
    const agenda = events.reduce(fold, empty());
    agenda.rows.wait(agenda.rows.find(id, 0), birth + 1);
    agenda.owing.add('nobody');
    const { position, stream, revision, at } = events.at(-1)!;
    const bytes = Buffer.concat(encodeAgenda(agenda, { position, stream, revision, at }));
    writeFileSync(office.dir.file('checkpoints/agenda'), bytes);
    const { ok, checkpoint } = await verified();
    expect(ok).toBe(false);
    expect(checkpoint).toMatchObject({
      state: 'wrong',
      differences: [
        `letter ${id}: recipient 0 is (remote b.test, due ${birth}, status 1, tried 0), in the checkpoint (remote b.test, due ${birth + 1}, status 1, tried 0)`,
        'letter nobody owes a bounce only in the checkpoint',
      ],
    });
  });

  it('when a recipient was delivered twice', async () => {
    const stream = 'message-019b7654-0c00-7000-8000-00000000abcd';
    const events = [
      ...letter('ann@b.test'),
      delivered(0, 'ann@b.test'),
      delivered(0, 'ann@b.test'),
    ];
    await office.log.append(stream, noStream, events);
    const { ok, recipients, mistakes } = await verified();
    expect([ok, recipients.balanced]).toEqual([false, false]);
    expect(mistakes.map(({ what }) => what)).toContain('recipient 0 has a second terminal event');
  });
});
