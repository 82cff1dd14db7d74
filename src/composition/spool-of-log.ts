/** The spool of a data directory: large bodies in files, small ones in the log. */
import type { SqliteLog } from '../log/sqlite/sqlite-log.ts';
import { messageOf, messageStream } from '../queue/events.ts';
import { diskSpool, type DiskSpool } from '../spool/disk/disk-spool.ts';

/** Relative to the data directory, which is the working directory. */
const spoolDirectory = 'spool';

export const spoolOf = (log: SqliteLog): DiskSpool =>
  diskSpool(spoolDirectory, {
    read: (id) => log.readBody(messageStream(id)),
    remove: async (ids) =>
      (await log.removeBodies(ids.map(messageStream))).map((stream) => messageOf(stream)!),
  });
