/**
 * The agenda as the last of some marks has it: a whole mark, then the changes up to that one. Each is
 * looked over before it is believed; behind one that is not as it should be, nothing of its chain counts.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { empty, type Agenda } from '../../projections/agenda.ts';
import { stillThere } from '../log/known-event.ts';
import { logStart, type LogReader } from '../log/ports.ts';
import { errorWords } from '../platform/errno.ts';
import { applyMark, decodeMark, type Mark, type MarkPlace, type MarkRef } from './mark.ts';
import type { MarkFile } from './marks.ts';

export type Restoring = {
  readonly log: Pick<LogReader, 'readAll' | 'readStream'>;
  readonly directory: string;
  readonly onTrouble?: (words: string) => void;
};

/** The marks that an agenda was made of. */
export type Chain = {
  readonly last: MarkRef;
  readonly length: number;
  readonly wholeBytes: number;
  readonly changeBytes: number;
};

export type Restored = {
  readonly agenda: Agenda;
  readonly place: MarkPlace;
  /** Absent: there was no mark to begin with. */
  readonly chain?: Chain;
};

export const nothingMarked: MarkPlace = {
  ...{ position: logStart, stream: '', revision: -1, at: 0 },
  ...{ latest: -Infinity, events: 0 },
};

/** By the last sound one of `marks`, which are in the order of the log; without any, the empty agenda. */
export async function restoreMark(
  options: Restoring,
  marks: readonly MarkFile[],
): Promise<Restored> {
  for (let end = marks.length; end > 0;) {
    const first = marks.slice(0, end).findLastIndex(({ isWhole }) => isWhole);
    if (first === -1) break;
    const restored = await followChain(options, marks.slice(first, end));
    if (restored !== undefined) return restored;
    end = first;
  }
  return { agenda: empty(), place: nothingMarked };
}

async function followChain(
  options: Restoring,
  files: readonly MarkFile[],
): Promise<Restored | undefined> {
  let restored: (Restored & { readonly chain: Chain }) | undefined;
  for (const file of files) {
    const mark = await readMark(options, file, restored?.chain.last);
    if (mark === undefined) break;
    const { head, sum, bytes } = mark;
    const before = restored?.chain ?? { length: 0, wholeBytes: bytes, changeBytes: -bytes };
    restored = {
      agenda: applyMark(mark, restored?.agenda ?? empty()),
      place: head,
      chain: {
        ...before,
        last: { position: head.position, sum },
        length: before.length + 1,
        changeBytes: before.changeBytes + bytes,
      },
    };
  }
  return restored;
}

/** The mark if it is sound, of this log, and (a change) follows `base`; else says what is the matter with it. */
export async function readMark(
  { log, directory, onTrouble }: Restoring,
  { name, position, latest, isWhole }: MarkFile,
  base: MarkRef | 'any' | undefined,
): Promise<Mark | undefined> {
  const refuse = (why: string): undefined => {
    onTrouble?.(`the mark ${name} in ${directory} ${why}: passed over`);
  };
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(directory, name));
  } catch (cause) {
    return refuse(`cannot be read (${errorWords(cause)})`);
  }
  const mark = decodeMark(bytes);
  if (mark === undefined) return refuse('is damaged, or of another release');
  const { head } = mark;
  if (head.position !== position || Math.max(0, head.latest) !== latest) {
    return refuse('does not bear its own name');
  }
  if (!(isWhole ? head.base === undefined : isSame(head.base, base)))
    return refuse('does not follow the one before it');
  return (await stillThere(log, head)) ? mark : refuse('is of another log');
}

const isSame = (named: MarkRef | undefined, base: MarkRef | 'any' | undefined): boolean =>
  base === 'any' || (named?.position === base?.position && named?.sum === base?.sum);
