/**
 * When an event that `waybill log --checkpoint` has printed counts as handled, by what stdout is. Whatever
 * it is, an event is called handled too late rather than too early: it may be heard twice, never not at all.
 */
import { fstatSync, fsyncSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Position } from '../log/ports.ts';
import { Trouble } from '../mail/trouble.ts';
import { safe } from '../trace/words.ts';

/** What a page of events came to. */
export type Handed = {
  /** Of the last event looked at, printed or not. */
  readonly position: Position;
  /** Of those printed, in order. */
  readonly printed: readonly Position[];
  /** Of the lines printed. */
  readonly bytes: number;
};

export type Handover = {
  /** The lines are on their way: an answer may come before the last of them has left us. */
  leaving(handed: Handed): void;
  /** The lines have left us; waits while the reader owes too many answers. */
  page(handed: Handed): Promise<void>;
  /** Resolves when nothing more can come to be handled. */
  settled(): Promise<void>;
  /** The reader will not answer any more. */
  readonly over: boolean;
  close(): void;
};

type Told = (position: Position) => void;

export const stdoutIsFile = (): boolean => fstatSync(1).isFile();

/** A file has what was written once it is forced to disk, which whoever writes the checkpoint does first. */
export const syncStdout = (): void => fsyncSync(1);

/** A file, or a terminal. */
export function toKeeper(told: Told): Handover {
  return {
    leaving: () => undefined,
    page: async ({ position }) => told(position),
    settled: async () => undefined,
    over: false,
    close: () => undefined,
  };
}

/** More than a pipe or a socket holds, whoever made it: what this much has followed, somebody has read. */
const unreadBytes = 1024 * 1024;

/** A pipe, and nobody who answers: what may still lie in it is not handled. */
export function toPipe(told: Told): Handover {
  const inside: { readonly position: Position; readonly bytes: number }[] = [];
  let bytes = 0;
  return {
    leaving: () => undefined,
    async page(handed) {
      if (handed.printed.length === 0 && inside.length === 0) return told(handed.position);
      inside.push(handed);
      bytes += handed.bytes;
      let read: Position | undefined;
      while (inside.length > 0 && bytes - inside[0]!.bytes >= unreadBytes) {
        const oldest = inside.shift()!;
        bytes -= oldest.bytes;
        read = oldest.position;
      }
      if (read !== undefined) told(read);
    },
    settled: async () => undefined,
    over: false,
    close: () => undefined,
  };
}

/** So many events may wait for their answer. */
const mostUnanswered = 10_000;

/** A reader that says on our stdin, a position a line, up to where it has handled everything. */
export function toAnswering(told: Told, from: NodeJS.ReadableStream = process.stdin): Handover {
  const open: Position[] = [];
  let looked: Position = 0;
  let over = false;
  let mistake: Trouble | undefined;
  let stir = (): void => undefined;
  const news = () => new Promise<void>((resolve) => (stir = resolve));
  const take = (line: string): void => {
    const position = toAnswer(line, open, looked);
    if (position === undefined) {
      mistake ??= misspoken(line);
      over = true;
      return;
    }
    const first = open.findIndex((each) => each > position);
    open.splice(0, first === -1 ? open.length : first);
    // With nothing unanswered, what was looked at and not wanted is done with, too.
    told(open.length === 0 ? looked : position);
  };
  const lines = createInterface({ input: from });
  lines.on('line', (line) => {
    if (!over && line.trim() !== '') take(line);
    stir();
  });
  lines.on('close', () => {
    over = true;
    stir();
  });
  const until = async (isEnough: () => boolean): Promise<void> => {
    while (!over && !isEnough()) await news();
    if (mistake !== undefined) throw mistake;
  };
  return {
    leaving({ position, printed }) {
      looked = position;
      for (const each of printed) open.push(each);
    },
    async page({ position }) {
      if (open.length === 0) told(position);
      await until(() => open.length < mostUnanswered);
    },
    settled: () => until(() => open.length === 0),
    get over() {
      return over;
    },
    close: () => {
      lines.close();
      // Else a silent reader's open pipe would keep us from ending.
      if (from === process.stdin) process.stdin.destroy();
    },
  };
}

function toAnswer(line: string, open: readonly Position[], looked: Position): Position | undefined {
  if (!/^ *\d{1,15} *$/.test(line)) return undefined;
  const position = Number(line);
  return position <= Math.max(looked, open.at(-1) ?? 0) ? position : undefined;
}

const misspoken = (line: string): Trouble =>
  new Trouble('refused', {
    ...{ tryAgain: false, peer: 'refused' },
    detail: `"${safe(line, 80)}" on stdin is no position of an event that was printed`,
  });
