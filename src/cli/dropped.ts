/** What lies in the drop box, in a sentence for whoever may look into it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dropName } from '../ingress/drop/drop-file.ts';
import { count } from '../trace/words.ts';
import type { DataFiles } from './places.ts';

/** `undefined` when nothing lies there, or we may not look. */
export function droppedWords({ directory }: Pick<DataFiles, 'directory'>): string | undefined {
  const letters = namesIn(join(directory, 'drop')).filter((name) => dropName.test(name)).length;
  const odd = namesIn(join(directory, 'aside')).length;
  const words = [
    ...(letters === 0
      ? []
      : [`${count(letters, 'letter')} in the drop box, for the engine to take`]),
    ...(odd === 0 ? [] : [`${count(odd, 'file')} set aside from it that are no letters (aside/)`]),
  ];
  return words.length === 0 ? undefined : `Besides: ${words.join('; ')}.`;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
