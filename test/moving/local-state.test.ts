/** What a data directory remembers by positions: right in the log that was moved, and in the one that came back. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, renameSync } from 'node:fs';
import { filter, firstValueFrom } from 'rxjs';
import { empty, fold, type Agenda } from '../../projections/agenda.ts';
import { openConsumer } from '../../src/consumers/consumer.ts';
import type { EventLog, LogReader } from '../../src/log/ports.ts';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import { keepHistory } from '../../src/past/history.ts';
import { openPast } from '../../src/past/past-queue.ts';
import { listMarks } from '../../src/past/marks.ts';
import { restoreAgenda } from '../../src/queue/agenda-restore.ts';
import { compareAgendas } from '../../src/trace/compare-agendas.ts';
import { verify } from '../../src/trace/verify.ts';
import { openLogAt } from '../support/kurrent/open.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { openOffice, says, type Office } from '../trace/office.ts';
import { inDirectory, moveBetween, onServer } from './sides.ts';

let office: Office;
let server: StandIn;
beforeEach(async () => {
  office = await openOffice();
  server = await new StandIn().start();
});
afterEach(async () => {
  office.dir.remove();
  await server.stop();
});

const marks = () => office.dir.file('past');
const consumers = () => office.dir.file('consumers');
const foldOf = async (log: Pick<LogReader, 'readAll'>): Promise<Agenda> =>
  (await log.readAll({ limit: 100_000 })).reduce(fold, empty());

/** Some mail, and all that an engine, a desk and a reader remember of it. */
async function layMemories(): Promise<void> {
  for (let n = 0; n < 10; n += 1) {
    const id = await office.accept([`r${n}@b.test`, 'x@b.test']);
    await office.attempt(
      id,
      [0, 1],
      n % 2 === 0 ? [says('delivered', 0), says('deferred', 1)] : [],
    );
  }
  await office.writeCheckpoint();
  const head = await office.log.head();
  const history = keepHistory({
    ...{ log: office.log, directory: marks(), every: 5, bytesPerEvent: 1e6 },
  });
  await firstValueFrom(history.pipe(filter(({ position }) => position === head)));
  const reader = await openConsumer({ log: office.log, directory: consumers(), name: 'auditor' });
  await reader.handled(17);
  await reader.close();
  await office.log.close();
}

/** What the engine, the past and the reader make of their memories in this log. */
async function remembered(log: LogReader) {
  const troubles: string[] = [];
  const past = openPast({ log, directory: marks(), onTrouble: (words) => troubles.push(words) });
  const { agenda } = await past.agendaAt({ position: await log.head() });
  expect(compareAgendas(await foldOf(log), agenda)).toEqual([]);
  const thrownAway: string[] = [];
  const restored = empty();
  const file = office.dir.file('checkpoints/agenda');
  const onThrownAway = (why: string) => thrownAway.push(why);
  const { position: checkpoint } = await restoreAgenda({ log, file, onThrownAway }, restored);
  const reader = await openConsumer({ log, directory: consumers(), name: 'auditor' });
  const [after] = await log.readAll({ after: reader.position, limit: 1 });
  await reader.handled(reader.position);
  await reader.close();
  const next = `${after!.stream} ${after!.revision}`;
  return { troubles, thrownAway, checkpoint, position: reader.position, next };
}

describe('a data directory whose log has moved', () => {
  it('believes none of its marks and checkpoints elsewhere, and all of them when the log is back', async () => {
    await layMemories();
    const here = inDirectory(office.path);
    const before = openReader(office.logFile);
    const home = await remembered(before);
    before.close();
    expect(home).toMatchObject({ troubles: [], thrownAway: [], position: 17 });
    const some = listMarks(marks()).length;
    expect(some).toBeGreaterThan(3);

    const away = onServer(server);
    await moveBetween(async () => [here.source(), await away.target()]);
    const { log, close } = openLogAt(server.url());
    const there = await remembered(log);
    expect(there.troubles.length).toBeGreaterThan(0);
    expect(there.troubles.every((words) => words.includes('of another log'))).toBe(true);
    expect(there).toMatchObject({ thrownAway: [expect.anything()], checkpoint: 0 });
    // The reader goes on with the same event, though its position is another one.
    expect(there.next).toBe(home.next);
    expect(there.position).not.toBe(17);
    const { checkpoint } = await verify({
      ...{ log, checkpoint: readFileSync(office.dir.file('checkpoints/agenda')) },
      bodyFile: () => '',
    });
    expect(checkpoint).toEqual({ state: 'moved' });
    const told = await openConsumer({ log, directory: consumers(), name: 'auditor' });
    await told.handled(await log.head());
    await told.close();
    const told2 = { type: 'Told', v: 1, at: 1, data: {} };
    await (log as EventLog).append('node-there', -1, [told2]);
    await close();

    renameSync(office.dir.file('log'), office.dir.file('old'));
    await moveBetween(async () => [await away.source(), here.target()]);
    const after = openReader(office.logFile);
    const back = await remembered(after);
    // The reader had gone on meanwhile.
    const last = await after.head();
    after.close();
    expect(back).toMatchObject({ troubles: [], thrownAway: [], checkpoint: home.checkpoint });
    expect(back).toMatchObject({ position: last - 1, next: 'node-there 0' });
  });

  it('keeps a reader from an event that the log at the other place has not', async () => {
    await layMemories();
    const away = onServer(server);
    const nothing = openLogAt(server.url());
    const asked = { log: nothing.log, directory: consumers(), name: 'auditor' };
    await expect(openConsumer(asked)).rejects.toMatchObject({ code: 'refused' });
    await moveBetween(async () => [inDirectory(office.path).source(), await away.target()]);
    await (await openConsumer(asked)).close();
    await nothing.close();
  });
});
