/** The queue as it is now, for programs that look and go: the agenda's checkpoint, and the log since. */
import { join } from 'node:path';
import { readFileSync, statSync } from 'node:fs';
import { empty, fold, type Agenda } from '../../../../projections/agenda.ts';
import type { LogReader } from '../../../log/ports.ts';
import { logFile } from '../../../log/sqlite/log-file.ts';
import { openPages } from '../../../log/sqlite/open-pages.ts';
import type { MessageId } from '../../../mail/envelope.ts';
import { restoreAgenda } from '../../../queue/agenda-restore.ts';
import { pagesOf } from '../../../trace/pages.ts';
import type { Places } from '../../places.ts';

export type QueueNow = { readonly agenda: Agenda; readonly log: Omit<LogReader, 'subscribe'> };

/** Why the queue cannot be looked at; `what` as qmail's programs put it: `chdir`, `open log`. */
export class QueueOutOfReach extends Error {
  readonly what: string;

  constructor(what: string, cause: unknown) {
    super(`unable to ${what}`, { cause });
    this.what = what;
  }
}

/** For root, and for whoever the queue runs as. Throws `QueueOutOfReach`. */
export async function withQueueNow<T>(
  places: Places,
  use: (now: QueueNow) => Promise<T>,
): Promise<T> {
  const { data } = places;
  reaching('chdir', () => statSync(`${data}/.`));
  const checkpoint = join(data, 'checkpoints/agenda');
  if (mayBeElsewhere(places)) {
    const { withLog } = await import('../../open-log.ts');
    return withLog(places, async ({ log }) =>
      use({ log, agenda: await agendaOf(log, checkpoint) }),
    );
  }
  const file = join(data, logFile);
  const log = reaching('open log', () => {
    // SQLite would say less about one that is missing.
    statSync(file);
    return openPages(file);
  });
  try {
    return await use({ log, agenda: await agendaOf(log, checkpoint) });
  } finally {
    log.close();
  }
}

function reaching<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new QueueOutOfReach(what, cause);
  }
}

/** Whether somebody has named another engine: a look, for reading the configuration takes longer than the answer. */
function mayBeElsewhere({ config }: Places): boolean {
  if (process.env['WAYBILL_LOG_ENGINE'] !== undefined) return true;
  try {
    const text = readFileSync(join(config, 'waybill.toml'), 'utf8');
    return /^[^#\n]*engine[^#\n]*kurrentdb/m.test(text);
  } catch {
    return false;
  }
}

async function agendaOf(log: QueueNow['log'], file: string): Promise<Agenda> {
  const agenda = empty();
  const { position } = await restoreAgenda({ log, file }, agenda);
  for await (const page of pagesOf(log, { after: position })) {
    for (const event of page) fold(agenda, event);
  }
  return agenda;
}

/** Letters with recipients that wait, then those that owe a bounce; each once. */
export function* lettersOf({ rows, owing }: Agenda): Generator<MessageId> {
  for (const letter of rows.openLetters()) yield rows.idOf(letter);
  for (const message of owing) if (!rows.has(message)) yield message;
}
