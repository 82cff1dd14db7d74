/**
 * The directory of marks. A name says all that is needed to choose one:
 * `<position>-<latest instant so far>.whole` or `.change`, both padded, so that names sort as the log does.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../log/ports.ts';
import { errnoOf, errorWords } from '../platform/errno.ts';
import { replaceFile } from '../platform/replace-file.ts';
import type { Instant } from '../platform/clock.ts';
import type { EncodedMark, MarkPlace } from './mark.ts';

export type MarkFile = {
  readonly name: string;
  readonly position: Position;
  /** No event up to the mark is later. */
  readonly latest: Instant;
  readonly isWhole: boolean;
};

const namePattern = /^(\d{15})-(\d{15})\.(whole|change)$/;
const digits = 15;

/** In the order of the log; what bears another name is not looked at. None where nobody may look, which is told. */
export function listMarks(
  directory: string,
  onTrouble?: (words: string) => void,
): readonly MarkFile[] {
  const marks: MarkFile[] = [];
  for (const name of namesIn(directory, onTrouble)) {
    const match = namePattern.exec(name);
    if (match === null) continue;
    const [position, latest] = [Number(match[1]), Number(match[2])];
    marks.push({ name, position, latest, isWhole: match[3] === 'whole' });
  }
  return marks;
}

function namesIn(directory: string, onTrouble?: (words: string) => void): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') {
      onTrouble?.(`the marks in ${directory} cannot be read (${errorWords(cause)})`);
    }
    return [];
  }
}

/** When it returns, the mark is on disk. A stop before that leaves no mark, and bytes that the next one overwrites. */
export function writeMark(
  directory: string,
  { position, latest }: MarkPlace,
  { pieces }: EncodedMark,
  kind: 'whole' | 'change',
): void {
  const padded = (value: number): string => String(Math.max(0, value)).padStart(digits, '0');
  const name = `${padded(position)}-${padded(latest)}.${kind}`;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  replaceFile({
    ...{ target: join(directory, name), temporary: join(directory, 'mark.new') },
    ...{ pieces, mode: 0o600 },
  });
}

export const removeMark = (directory: string, { name }: MarkFile): void =>
  rmSync(join(directory, name), { force: true });

/** What they take, bytes. */
export const sizeOfMarks = (directory: string, marks: readonly MarkFile[]): number =>
  marks.reduce((sum, { name }) => sum + statSync(join(directory, name)).size, 0);
