/** What is found on a disk after the power was cut, held against what clients had been told. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openReader } from '../../../src/log/sqlite/open-reader.ts';
import { SqliteLog } from '../../../src/log/sqlite/sqlite-log.ts';
import type { RecordedEvent } from '../../../src/log/ports.ts';
import { readIfThere } from '../../../src/platform/read-if-there.ts';
import { verify } from '../../../src/trace/verify.ts';
import type { Call } from './calls.ts';

export type Told = { readonly id: string; readonly line: number };

/** Every letter to which a client heard 250, and when that was said. */
export function acceptances(calls: readonly Call[]): readonly Told[] {
  return calls.flatMap((call) => {
    const said = call.kind === 'say' ? call.bytes.toString('latin1') : '';
    const id = /^250 2\.0\.0 ok ([0-9a-f-]{36})\r\n/m.exec(said)?.[1];
    return id === undefined ? [] : [{ id, line: call.from }];
  });
}

export type Findings = {
  readonly accepted: number;
  readonly delivered: number;
  /** What must not be. */
  readonly wrong: readonly string[];
};

/**
 * Opens the log as the next start does, refolds it, and looks for each letter of `told`; for each delivery that the
 * log calls done, for its file, whose bytes `whole` knows; and for each delivered file, for its attempt in the log.
 */
export async function survey(
  data: string,
  told: readonly string[],
  whole: ReadonlyMap<string, Buffer>,
): Promise<Findings> {
  const file = join(data, 'log/waybill.db');
  if (!existsSync(file)) {
    const wrong = told.map((id) => `${id} was accepted, and there is no log`);
    return { accepted: 0, delivered: 0, wrong };
  }
  try {
    return await look(data, file, told, whole);
  } catch (cause) {
    const lost = told.map((id) => `${id} was accepted, and the log cannot be read`);
    return { accepted: 0, delivered: 0, wrong: [String(cause), ...lost] };
  }
}

async function look(
  data: string,
  file: string,
  told: readonly string[],
  whole: ReadonlyMap<string, Buffer>,
): Promise<Findings> {
  const folder = join(data, 'mail/demo/Maildir/new');
  const events = await eventsOf(file);
  const of = (type: string): Set<string> =>
    new Set(events.filter((event) => event.type === type).map(({ stream }) => stream.slice(8)));
  const accepted = of('MessageAccepted');
  const delivered = of('RecipientDelivered');
  const attempted = of('AttemptStarted');
  const wrong = [
    ...told.filter((id) => !accepted.has(id)).map((id) => `${id} was accepted, and is not there`),
    ...[...delivered].flatMap((id) => missing(id, folder, whole)),
    ...marksIn(folder)
      .filter((mark) => !marksOf(attempted).has(mark))
      .map((mark) => `${mark} is in the mailbox, and no attempt is on record`),
    ...(await complaints(data, file)),
  ];
  return { accepted: accepted.size, delivered: delivered.size, wrong };
}

/** As a start does: what the write-ahead log holds is taken in. */
async function eventsOf(file: string): Promise<readonly RecordedEvent[]> {
  const log = new SqliteLog(file);
  const events: RecordedEvent[] = [];
  for (let after = 0; ;) {
    const page = await log.readAll({ after, limit: 1_000 });
    events.push(...page);
    if (page.length < 1_000) break;
    after = page.at(-1)!.position;
  }
  await log.close();
  return events;
}

async function complaints(data: string, file: string): Promise<readonly string[]> {
  const log = openReader(file);
  const { ok, ...result } = await verify({
    log,
    checkpoint: readIfThere(join(data, 'checkpoints/agenda')),
    bodyFile: (id) => join(data, 'spool/bodies', id),
  });
  log.close();
  if (ok && result.recipients.balanced) return [];
  const { damages, structure, mistakes, checkpoint } = result;
  return [JSON.stringify({ damages, structure, mistakes, checkpoint })];
}

/** Its file, in the bytes that it has in the end. */
function missing(id: string, folder: string, whole: ReadonlyMap<string, Buffer>): string[] {
  const name = filesIn(folder).find((each) => each.includes(markOf(id)));
  if (name === undefined) return [`${id} is said to be delivered, and is in no mailbox`];
  const wanted = whole.get(name);
  return wanted?.equals(readFileSync(join(folder, name))) === true
    ? []
    : [`${id} is said to be delivered, and its file is not whole`];
}

const filesIn = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder) : [];

/** How a delivered file's name holds its letter's id. */
const markOf = (id: string): string => id.replaceAll('-', '');
const marksOf = (ids: ReadonlySet<string>): ReadonlySet<string> => new Set([...ids].map(markOf));
const marksIn = (folder: string): readonly string[] =>
  filesIn(folder).map((name) => /W([0-9a-f]{32})/.exec(name)?.[1] ?? name);
