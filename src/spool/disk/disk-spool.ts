/**
 * Bodies on disk: small ones in the log's own database (`inline`), large ones a file each.
 *
 * A large body is written to `incoming/<id>.<random>`, synced, renamed to `bodies/<id>`, and the directory
 * synced, all before `stage` resolves. A stop on the way leaves a file that no event names; the
 * sweep at the next start removes those older than a day.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isTrouble } from '../../mail/trouble.ts';
import type { Instant } from '../../platform/clock.ts';
import { makeLastingFolder } from '../../platform/sync-path.ts';
import { bodyTrouble, refOf, refuseDamaged, refuseOddId } from '../checks.ts';
import { inlineBodyBytes, type BodyWriter, type Spool } from '../ports.ts';
import { openBodyFile, readBodyFile, type Folders } from './body-files.ts';

/** Where small bodies lie: they travel with the log's append and are read back from it. */
export interface InlineBodies {
  read(id: string): Uint8Array | undefined;
  /** Returns those that it did not have. */
  remove(ids: readonly string[]): Promise<readonly string[]>;
}

export type DiskSpool = Spool & {
  /** Removes files that no open letter needs and that are older than `maxAgeMs`; returns how many. */
  sweep(now: Instant, isNeeded: (id: string) => boolean, maxAgeMs?: number): Promise<number>;
};

const dayMs = 86_400_000;

export function diskSpool(directory: string, inline: InlineBodies): DiskSpool {
  const folders = makeFolders(directory);
  const openWriter = async (id: string): Promise<BodyWriter> => {
    refuseOddId(id);
    return openBodyFile(id, folders);
  };
  return {
    async stage(id, bytes) {
      refuseOddId(id);
      if (bytes.byteLength <= inlineBodyBytes) return { ref: refOf(id, bytes), inline: bytes };
      const writer = await openWriter(id);
      await writer.write(bytes);
      return writer.stage();
    },
    open: openWriter,
    async read(ref, offset = 0, length = ref.bytes) {
      refuseOddId(ref.id);
      const whole = ref.bytes <= inlineBodyBytes ? readInline(inline, ref.id) : undefined;
      const bytes =
        whole?.subarray(offset, offset + length) ??
        (await readBodyFile(folders.bodies, ref, offset, length));
      refuseDamaged(ref, bytes, offset, length);
      return bytes;
    },
    async remove(ids) {
      ids.forEach(refuseOddId);
      // Nearly all bodies are inline; the file system is asked about the others only.
      const files = await inline.remove(ids);
      await Promise.all(files.map((id) => rm(join(folders.bodies, id), { force: true })));
    },
    sweep: (now, isNeeded, maxAgeMs = dayMs) => sweep(folders, now, isNeeded, maxAgeMs),
  };
}

function makeFolders(directory: string): Folders {
  const folders = { incoming: join(directory, 'incoming'), bodies: join(directory, 'bodies') };
  for (const folder of [folders.incoming, folders.bodies]) makeLastingFolder(folder, 0o700);
  return folders;
}

function readInline(inline: InlineBodies, id: string): Uint8Array | undefined {
  try {
    return inline.read(id);
  } catch (cause) {
    if (!isTrouble(cause, 'log-damaged')) throw cause;
    throw bodyTrouble('body-damaged', `body ${id} cannot be read from the log`, cause);
  }
}

async function sweep(
  { incoming, bodies }: Folders,
  now: Instant,
  isNeeded: (id: string) => boolean,
  maxAgeMs: number,
): Promise<number> {
  let removed = 0;
  for (const folder of [incoming, bodies]) {
    for (const id of await readdir(folder)) {
      const path = join(folder, id);
      const age = await stat(path).then(
        ({ mtimeMs }) => now - mtimeMs,
        () => 0,
      );
      if (age <= maxAgeMs || isNeeded(id)) continue;
      await rm(path, { force: true });
      removed += 1;
    }
  }
  return removed;
}
