/**
 * `morercpthosts`, which a site with many thousand hosts keeps as a database (qmail-newmrh). Where that
 * exists it alone counts, as with qmail, and is looked into anew for each host asked for; else the text does.
 */
import { Trouble } from '../mail/trouble.ts';
import { cdbAt } from '../platform/cdb-file.ts';
import { errnoOf } from '../platform/errno.ts';
import type { Cdb } from '../wire/cdb/reader.ts';

/** Hosts by their lower-cased names; a key that begins with a dot stands for all below it. */
export type Hosts = Pick<ReadonlySet<string>, 'has'>;

/**
 * `text`: what counts without the database. `handed`: the database as it was when settings were last read,
 * for whoever may not look where it lies. A look-up throws a `Trouble` when the database cannot be read.
 */
export function moreHosts(
  database: string,
  text: () => Hosts,
  handed?: () => Cdb | undefined,
): Hosts {
  const place = cdbAt(database);
  const current = (): Cdb | undefined => {
    try {
      return place.current();
    } catch (cause) {
      if (handed === undefined || errnoOf(cause) !== 'EACCES') throw cause;
      return handed();
    }
  };
  return {
    has(host) {
      try {
        const cdb = current();
        return cdb === undefined ? text().has(host) : cdb.get(Buffer.from(host)) !== undefined;
      } catch (cause) {
        throw new Trouble('control-mistake', {
          tryAgain: true,
          peer: 'unable to read controls (#4.3.0)',
          detail: `${database}: cannot be read (${cause instanceof Error ? cause.message : String(cause)})`,
          cause,
        });
      }
    },
  };
}
