/**
 * Bodies in a directory that several nodes share, small ones too: the log is elsewhere. "On disk" is what the
 * file server says; what it says and does not do, nobody here can know.
 */
import type { StagedBody } from '../ports.ts';
import { diskSpool, type DiskSpool } from './disk-spool.ts';

export const sharedSpool = (directory: string): DiskSpool =>
  diskSpool(directory, { read: () => undefined, remove: async (ids) => ids });

/** Makes a small body a file, before the event that names it. The same staged body is written once. */
export function carriedByDisk(spool: DiskSpool): (staged: StagedBody) => Promise<void> {
  const durable = new WeakSet<StagedBody>();
  return async (staged) => {
    if (staged.inline === undefined || durable.has(staged)) return;
    const writer = await spool.open(staged.ref.id);
    await writer.write(staged.inline);
    await writer.stage();
    durable.add(staged);
  };
}
