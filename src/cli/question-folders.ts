/** Where a person's own questions lie, and who may have written them. */
import { totalmem } from 'node:os';
import type { Loading } from '../ask/load.ts';
import type { Config } from '../control/config.ts';

/** They run with our rights: as root nothing is run that anybody else could have written. */
export const loadingOf = (folders: readonly string[]): Loading => ({
  folders,
  trusted: process.getuid?.() === 0 ? [0] : undefined,
  heapMiB: Math.round(Math.max(leastHeapMiB, Math.min(mostHeapMiB, totalmem() / 2 ** 22))),
});

/** A quarter of the machine, within these. */
const [leastHeapMiB, mostHeapMiB] = [512, 4_096];

export type QuestionFinding = {
  readonly file: string;
  readonly line?: number;
  readonly message: string;
};

/** Files in these folders that `waybill ask` would not ask, and why. */
export async function checkQuestions(config: Config | undefined): Promise<QuestionFinding[]> {
  const { folders } = config?.projections ?? { folders: [] };
  if (folders.length === 0) return [];
  const { loadAll } = await import('../ask/load.ts');
  const { refused } = await loadAll(loadingOf(folders));
  return refused.map(({ why, ...place }) => ({ ...place, message: why }));
}
