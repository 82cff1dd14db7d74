/** What waits is the same wherever the replay begins; and it begins as late as it can. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { agendaNow } from '../../src/cli/queue-now.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { keepHistory } from '../../src/past/history.ts';
import { chooser, shuffle } from '../views/mailbag.ts';
import { openOffice, type Office } from '../trace/office.ts';
import { jsonLines, waybill } from './run.ts';

let office: Office;
let ids: MessageId[];
let marks: string;
const choice = chooser(11);
beforeEach(async () => {
  office = await openOffice();
  ids = [];
  marks = office.dir.file('past');
  await shuffle(office, ids, 100, choice);
});
afterEach(() => office.remove());

const checkpoint = () => office.dir.file('checkpoints/agenda');
const mark = () =>
  firstValueFrom(
    keepHistory({ log: office.log, directory: marks, every: 20, bytesPerEvent: 1e6 }).pipe(
      filter(({ rebuilding }) => !rebuilding),
    ),
  );
const lastMark = () => Number(readdirSync(marks).sort().at(-1)!.slice(0, 15));

/** What a person is told, and how many events were read for it. */
async function told() {
  const { code, stdout } = waybill(office.path, 'queue', '--json');
  expect(code).toBe(0);
  let read = 0;
  const { position } = await agendaNow({
    log: {
      head: () => office.log.head(),
      readStream: (...args) => office.log.readStream(...args),
      readAll: async (options) => {
        const page = await office.log.readAll(options);
        // One event is read to know the log again.
        if (options.limit > 1) read += page.length;
        return page;
      },
    },
    ...{ checkpoint: checkpoint(), marks },
  });
  expect(position).toBe(await office.log.head());
  return { lines: jsonLines(stdout), read };
}

describe('what waits now', () => {
  it('is told from the nearest of checkpoint and marks, and is the same without either', async () => {
    await office.writeCheckpoint();
    const written = await office.log.head();
    await shuffle(office, ids, 100, choice);
    const head = await office.log.head();
    const byCheckpoint = await told();
    expect(byCheckpoint.lines.length).toBeGreaterThan(5);
    expect(byCheckpoint.read).toBe(head - written);

    await mark();
    expect(lastMark()).toBeGreaterThan(head - 40);
    expect(await told()).toEqual({ lines: byCheckpoint.lines, read: head - lastMark() });
    rmSync(checkpoint());
    expect(await told()).toEqual({ lines: byCheckpoint.lines, read: head - lastMark() });
    rmSync(marks, { recursive: true });
    expect(await told()).toEqual({ lines: byCheckpoint.lines, read: head });
  });

  it('is told from the checkpoint where that is the nearer one, or the marks are of no use', async () => {
    await mark();
    await shuffle(office, ids, 30, choice);
    await office.writeCheckpoint();
    const written = await office.log.head();
    await shuffle(office, ids, 10, choice);
    const rest = (await office.log.head()) - written;
    expect((await told()).read).toBe(rest);

    await shuffle(office, ids, 40, choice);
    await mark();
    const { lines } = await told();
    for (const name of readdirSync(marks)) truncateSync(join(marks, name), 100);
    expect(await told()).toEqual({ lines, read: (await office.log.head()) - written });
    renameSync(marks, `${marks}.away`);
    expect((await told()).lines).toEqual(lines);
  });
});
