/** Whether an engine has written down how its queue stands: killed before that it replays what no other start would. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import { usualEvery } from '../../src/queue/agenda-keeper.ts';

/**
 * Resolves with true when the agenda's checkpoint covers the log's end but for the few events that are never
 * worth one (`every`); with false when it does not within `limitMs`.
 */
export async function checkpointed(
  dataDir: string,
  limitMs: number,
  every = usualEvery,
): Promise<boolean> {
  const log = openReader(join(dataDir, 'log/waybill.db'));
  try {
    for (const until = performance.now() + limitMs; ;) {
      const position = positionIn(join(dataDir, 'checkpoints/agenda'));
      if ((await log.head()) - position < every) return true;
      if (performance.now() > until) return false;
      await sleep(100);
    }
  } finally {
    log.close();
  }
}

/** It stands near the beginning of the first line, before lists of any length. */
const enough = 4_096;

function positionIn(file: string): number {
  try {
    const fd = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(enough);
      const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, enough, 0));
      return Number(/"position":(\d+)/.exec(text)?.[1] ?? 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return 0;
  }
}
