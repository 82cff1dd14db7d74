/** Where a person's own questions lie, and who may have written them. */
import type { Loading } from '../ask/load.ts';
import type { Config } from '../control/config.ts';

/** They run with our rights: as root nothing is run that anybody else could have written. */
export const loadingOf = (folders: readonly string[]): Loading => ({
  folders,
  trusted: process.getuid?.() === 0 ? [0] : undefined,
});

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
