/** A data directory with a real log in it, written by the real decider; as an engine would leave it. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { encodeAgenda } from '../../projections/agenda-checkpoint.ts';
import { empty, fold } from '../../projections/agenda.ts';
import { openNodeLog } from '../../src/control/node-log.ts';
import type { EventLog } from '../../src/log/ports.ts';
import { SqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import type { Address, MessageId } from '../../src/mail/envelope.ts';
import { makeMessageId } from '../../src/mail/message-id.ts';
import type { Outcome } from '../../src/mail/verdict.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import type { QueueCommand } from '../../src/queue/commands.ts';
import type { Parent } from '../../src/queue/events.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { birth, controls, hourMs, way, week } from '../support/queue-mail.ts';
import { tempDir } from '../support/temp-dir.ts';

export type Office = Awaited<ReturnType<typeof openOffice>>;

/** `start` is the age 0 of everything in it. `elsewhere`: a log that is not in the directory. */
export async function openOffice(start = birth, elsewhere?: EventLog) {
  const dir = tempDir();
  for (const folder of ['log', 'checkpoints', 'run', 'spool/bodies']) {
    mkdirSync(dir.file(folder), { recursive: true });
  }
  const clock = new ManualClock(start);
  const logFile = dir.file('log/waybill.db');
  const log: EventLog = elsewhere ?? new SqliteLog(logFile);
  const letters = openLetters({ log });
  const node = openNodeLog(log, 'here.test', clock);
  await node.tell({
    type: 'NodeStarted',
    data: { node: 'here.test', version: '0', pid: 1, host: 'here' },
  });
  const files = { me: 'here.test\n', locals: 'here.test\n' };
  await node.tell({ type: 'ControlsLoaded', data: { digest: controls, files } });
  let made = 0;

  const office = {
    ...{ dir, clock, log, logFile, node, path: dir.path },
    /** Accepts a letter with a small body of its own, or one in a file of the spool. */
    async accept(
      recipients: readonly Address[],
      more: {
        readonly returnPath?: Address;
        readonly parent?: Parent;
        readonly large?: boolean;
        readonly subject?: string;
      } = {},
    ): Promise<MessageId> {
      made += 1;
      const { returnPath = 'joe@here.test', parent, large = false, subject = made } = more;
      const number = Buffer.alloc(10);
      number.writeUInt32BE(made, 6);
      const id = makeMessageId(clock.now(), number);
      const bytes = Buffer.from(`Subject: ${subject}\r\n\r\n${large ? 'x'.repeat(70_000) : ''}`);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const ref = { id, bytes: bytes.byteLength, sha256 };
      if (large) writeFileSync(dir.file(`spool/bodies/${id}`), bytes);
      await letters.handle(
        id,
        {
          ...{
            type: 'AcceptMessage',
            body: ref,
            arrival: { protocol: 'ESMTP' },
            controls,
            at: clock.now(),
          },
          ...{ envelope: { returnPath, recipients }, routes: recipients.map(way) },
          ...(parent === undefined ? {} : { parent }),
        },
        large ? { ref } : { ref, inline: bytes },
      );
      return id;
    },
    /** One attempt to some recipients; without outcomes it stays under way. */
    async attempt(
      id: MessageId,
      rcpts: readonly number[],
      outcomes: readonly Outcome[] = [],
    ): Promise<void> {
      const { recipients, attempts } = await letters.state(id);
      await letters.handle(id, {
        ...{
          type: 'StartAttempt',
          rcpts,
          controls,
          at: clock.now(),
          lifetimeSeconds: week,
          ceilingMs: hourMs,
        },
        routes: rcpts.map((rcpt) => way(recipients[rcpt]!.address)),
      });
      clock.advance(1_500);
      const attempt = attempts + 1;
      if (outcomes.length > 0)
        await letters.handle(id, { type: 'RecordReport', attempt, outcomes, at: clock.now() });
    },
    stateOf: (id: MessageId) => letters.state(id),
    do: (id: MessageId, command: QueueCommand) => letters.handle(id, command),
    /** As the engine writes it, of the first `upTo` events. */
    async writeCheckpoint(upTo = Infinity): Promise<void> {
      const events = (await log.readAll({ limit: 100_000 })).filter(
        ({ position }) => position <= upTo,
      );
      const { position, stream, revision, at } = events.at(-1)!;
      const bytes = Buffer.concat(
        encodeAgenda(events.reduce(fold, empty()), { position, stream, revision, at }),
      );
      writeFileSync(dir.file('checkpoints/agenda'), bytes);
    },
    close: () => log.close(),
    async remove(): Promise<void> {
      await log.close();
      dir.remove();
    },
  };
  return office;
}

export const says = (
  kind: Outcome['kind'],
  rcpt: number,
  text = 'Remote host said: hello\n',
): Outcome => ({
  ...{ kind, rcpt },
  reply: { text, host: 'mx.b.test', address: '192.0.2.7' },
});
