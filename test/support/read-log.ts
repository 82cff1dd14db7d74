/** The events of an engine's log, read beside it as any other process may. */
import { join } from 'node:path';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';

export async function readLog(dataDir: string): Promise<readonly RecordedEvent[]> {
  const log = openReader(join(dataDir, 'log/waybill.db'));
  try {
    return await log.readAll({ limit: 1_000_000 });
  } finally {
    log.close();
  }
}

/** The events of one letter, by type. */
export async function storyOf(dataDir: string, id: string): Promise<readonly RecordedEvent[]> {
  return (await readLog(dataDir)).filter(({ stream }) => stream === `message-${id}`);
}
