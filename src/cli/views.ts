/** `waybill views status|rebuild`: the database that search, the web page and SQL read. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dropRights } from '../composition/roles/drop-rights.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { toAsciiJson } from '../trace/json.ts';
import { count, formatInstant, safe } from '../trace/words.ts';
import { buildViews } from '../views/build.ts';
import { openViews } from '../views/open-views.ts';
import { readNext, servedName } from '../views/sqlite/files.ts';
import { giveWay, shareOfReading } from './giving-way.ts';
import { withLog } from './open-log.ts';
import { openOutput } from './output.ts';
import { dataFiles, type Places } from './places.ts';
import { openProgress } from './progress.ts';

type Json = { readonly json?: boolean };

export async function viewsStatus(places: Places, { json = false }: Json): Promise<void> {
  const output = openOutput();
  await withLog(places, async ({ log, files }) => {
    const file = join(files.views, servedName);
    const views = openViews({ log, directory: files.views });
    try {
      const status = await views.status();
      const { position, head, at, letters, bytes, rebuilding } = status;
      if (json) {
        output.line(
          toAsciiJson({ file, ...status, ...(at && { at: formatInstant(at, 'ms') }), rebuilding }),
        );
        return;
      }
      const behind = head - position;
      const upTo = at === undefined ? 'of nothing yet' : `up to ${formatInstant(at)}`;
      const mib = Math.ceil(bytes / 1024 ** 2).toLocaleString('en');
      output.line(`${safe(file, 4096)}: ${count(letters, 'letter')} ${upTo}, ${mib} MiB`);
      output.line(behind === 0 ? 'up with the log' : `${count(behind, 'event')} behind the log`);
      if (rebuilding !== undefined) output.line(wordsOfNew(rebuilding, head));
    } catch (cause) {
      if (!isTrouble(cause, 'not-found')) throw cause;
      const next = existsSync(files.views) ? readNext(files.views) : undefined;
      const head = await log.head();
      const position = next?.last?.position;
      if (json) output.line(toAsciiJson({ file: null, head, rebuilding: position ?? null }));
      else if (position !== undefined) output.line(wordsOfNew(position, head));
      else output.line('There are no views: the desk makes them, or `waybill views rebuild`.');
    } finally {
      views.close();
    }
  });
  await output.drained();
}

const wordsOfNew = (position: number, head: number): string =>
  `new ones are being computed: ${Math.floor((position / Math.max(1, head)) * 100)} % of ${count(head, 'event')}`;

type RebuildOptions = Json & { readonly resume?: boolean; readonly urgent?: boolean };

export async function rebuildViews(places: Places, options: RebuildOptions): Promise<void> {
  const { json = false, resume = false, urgent = false } = options;
  const { views: directory } = dataFiles(places.data);
  await withLog(places, async ({ log }) => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    becomeOwner(directory);
    const way = giveWay(urgent ? 1 : shareOfReading);
    const progress = openProgress('computing the views');
    const since = performance.now();
    let events = 0;
    try {
      const building = buildViews({ log, directory, rest: way.rest, afresh: !resume });
      for await (const { position, head } of building) {
        progress.tell(position, head);
        events = position;
      }
    } catch (cause) {
      if (!isTrouble(cause, 'log-in-use')) throw cause;
      throw new Trouble('refused', {
        tryAgain: true,
        peer: 'busy',
        detail: 'somebody else is computing the views already: see `waybill views status`',
      });
    } finally {
      progress.end();
    }
    const seconds = (performance.now() - since) / 1000;
    const file = join(directory, servedName);
    console.log(
      json
        ? toAsciiJson({ file, events, seconds: Number(seconds.toFixed(3)) })
        : `${safe(file, 4096)} is new: ${count(events, 'event')} in ${seconds.toFixed(1)} s.`,
    );
  });
}

/** In the desk's directory root works as the desk: what lies there may be a trap for root. */
function becomeOwner(directory: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(directory);
  dropRights({ name: `uid ${uid}`, uid, gid, groups: [] });
}
