/** Large letters that one door has under way: each is a file of the spool that no event names yet. */
import { Trouble } from '../../mail/trouble.ts';
import type { Link } from '../../platform/link.ts';
import type { BodyWriter, Spool, StagedBody } from '../../spool/ports.ts';

/** Each has a file open. */
const maxUploads = 5_000;

const tooMany = { tryAgain: true, peer: 'too much mail at once (#4.3.2)' } as const;

export type Uploads = {
  /** Rejects with `busy` when there are too many, with `refused` when the id is in use. */
  open(id: string): Promise<void>;
  /** Rejects with `refused` for an upload that was not begun here. */
  writerOf(id: string): Promise<BodyWriter>;
  /** The whole body, forced to disk; the upload is over. */
  take(id: string): Promise<StagedBody>;
  abandon(id: string): Promise<void>;
};

/** What a link leaves half uploaded goes with it. `link`: asked for with the first upload. */
export function openUploads(spool: Spool, link: () => Link): Uploads {
  const writers = new Map<string, Promise<BodyWriter>>();
  let watched = false;
  /** Once per link: its end is waited for as long as it lives. */
  const watch = (): void => {
    if (watched) return;
    watched = true;
    void link().closed.then(() => {
      for (const id of [...writers.keys()]) void abandon(id).catch(() => undefined);
    });
  };
  const writerOf = (id: string): Promise<BodyWriter> => {
    const writer = writers.get(id);
    if (writer !== undefined) return writer;
    throw new Trouble('refused', { tryAgain: true, peer: 'no such upload (#4.3.0)' });
  };
  const abandon = async (id: string): Promise<void> => {
    const writer = writers.get(id);
    writers.delete(id);
    await (await writer)?.abandon();
  };
  return {
    async open(id) {
      watch();
      if (writers.size >= maxUploads) throw new Trouble('busy', tooMany);
      if (writers.has(id)) {
        throw new Trouble('refused', { tryAgain: true, peer: 'id in use (#4.3.0)' });
      }
      const opened = spool.open(id);
      writers.set(id, opened);
      await opened.catch((cause: unknown) => {
        writers.delete(id);
        throw cause;
      });
    },
    writerOf: async (id) => writerOf(id),
    async take(id) {
      const writer = await writerOf(id);
      writers.delete(id);
      return writer.stage();
    },
    abandon,
  };
}
