/** A data directory: the embedded log, small bodies in it, large ones in files beside it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lockDirectory, type DirectoryLock } from '../log/sqlite/lock.ts';
import { logFile } from '../log/sqlite/log-file.ts';
import { openReader } from '../log/sqlite/open-reader.ts';
import { SqliteLog } from '../log/sqlite/sqlite-log.ts';
import type { LogPages } from '../log/sqlite/open-pages.ts';
import type { BodyRef } from '../mail/envelope.ts';
import { isTrouble, Trouble } from '../mail/trouble.ts';
import { makeLastingFolder } from '../platform/sync-path.ts';
import { messageOf, messageStream } from '../queue/events.ts';
import { refuseOddId } from '../spool/checks.ts';
import { readBodyFile } from '../spool/disk/body-files.ts';
import { diskSpool } from '../spool/disk/disk-spool.ts';
import { inlineBodyBytes, type StagedBody } from '../spool/ports.ts';
import { piecesOf, putDown } from './pieces.ts';
import type { Run, Source, Target } from './ports.ts';

/** Below the data directory. */
const spoolFolder = 'spool';

/** Holds the lock of the log where no engine does, so that none begins meanwhile. */
export function sqliteSource(directory: string): Source {
  const file = join(directory, logFile);
  if (!existsSync(file)) throw missing(directory);
  const lock = lockIfFree(`${file}.lock`);
  try {
    const log = openReader(file);
    return {
      ...{ name: nameOf(directory), log, body: bodyReader(directory, log) },
      writer: async () => (lock === undefined ? `an engine runs on ${directory}` : undefined),
      async close() {
        log.close();
        lock?.release();
      },
    };
  } catch (cause) {
    lock?.release();
    throw cause;
  }
}

/** Made where it is missing, unless it `mustExist`. Throws `log-in-use` where an engine runs. */
export function sqliteTarget(directory: string, mustExist = false): Target {
  const file = join(directory, logFile);
  if (mustExist && !existsSync(file)) throw missing(directory);
  makeLastingFolder(join(directory, 'log'), 0o700);
  const writing = new SqliteLog(file);
  const log = openReader(file);
  const spool = diskSpool(join(directory, spoolFolder), {
    read: (id) => log.readBody(messageStream(id)),
    remove: async (ids) =>
      (await writing.removeBodies(ids.map(messageStream))).map((stream) => messageOf(stream)!),
  });
  return {
    ...{ name: nameOf(directory), log, body: bodyReader(directory, log) },
    async place(ref, pieces) {
      if (ref.bytes <= inlineBodyBytes) return inline(ref, pieces);
      await putDown(spool, ref.id, pieces);
      return undefined;
    },
    // All asked for in one turn of the loop, and few enough for one commit: all or nothing.
    append: (runs) =>
      Promise.all(
        runs.map(({ stream, expected, events, body }: Run) =>
          writing.append(stream, expected, events, body),
        ),
      ),
    remove: (ids) => (ids.length === 0 ? Promise.resolve() : spool.remove(ids)),
    async close() {
      log.close();
      await writing.close();
    },
  };
}

const nameOf = (directory: string): string => `sqlite:${directory}`;

async function inline(ref: BodyRef, pieces: AsyncIterable<Uint8Array>): Promise<StagedBody> {
  const held: Uint8Array[] = [];
  for await (const piece of pieces) held.push(piece);
  return { ref, inline: Buffer.concat(held) };
}

function bodyReader(directory: string, log: LogPages): Source['body'] {
  const folder = join(directory, spoolFolder, 'bodies');
  return (ref) => {
    refuseOddId(ref.id);
    const bytes = ref.bytes <= inlineBodyBytes ? log.readBody(messageStream(ref.id)) : undefined;
    return piecesOf(ref, async (offset, length) =>
      bytes === undefined
        ? readBodyFile(folder, ref, offset, length)
        : bytes.subarray(offset, offset + length),
    );
  };
}

function lockIfFree(file: string): DirectoryLock | undefined {
  try {
    return lockDirectory(file);
  } catch (cause) {
    if (isTrouble(cause, 'log-in-use')) return undefined;
    throw cause;
  }
}

const missing = (directory: string): Trouble =>
  new Trouble('log-unavailable', {
    ...{ tryAgain: false, peer: 'no log' },
    detail: `there is no log in ${directory}`,
  });
