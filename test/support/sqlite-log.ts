/** The embedded log with its spool, in a directory of its own. */
import { SqliteLog, type SqliteLogOptions } from '../../src/log/sqlite/sqlite-log.ts';
import { diskSpool, type DiskSpool } from '../../src/spool/disk/disk-spool.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

export type Opened = { readonly log: SqliteLog; readonly spool: DiskSpool };

export function openAt(dir: TempDir, options?: SqliteLogOptions): Opened {
  const log = new SqliteLog(dir.file('log.db'), options);
  const spool = diskSpool(dir.file('spool'), {
    read: (id) => log.readBody(`message-${id}`),
    remove: async (ids) =>
      (await log.removeBodies(ids.map((id) => `message-${id}`))).map((name) => name.slice(8)),
  });
  return { log, spool };
}

/** As the contract of event logs wants it. */
export async function openSqlite(options?: SqliteLogOptions) {
  const dir = tempDir();
  let opened = openAt(dir, options);
  return {
    ...opened,
    dir,
    reopen: async () => {
      await opened.log.close();
      opened = openAt(dir, options);
      return opened;
    },
    close: async () => {
      await opened.log.close();
      dir.remove();
    },
  };
}
