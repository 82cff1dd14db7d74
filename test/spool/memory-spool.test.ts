import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { noStream } from '../../src/log/ports.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { spoolContract } from '../contracts/spool.ts';
import { notedAll } from '../support/log-events.ts';

spoolContract('the spool in memory', async () => {
  const bodies = new Map<string, Uint8Array>();
  const log = new MemoryLog(bodies);
  return {
    spool: memorySpool(bodies),
    commit: async (staged) => {
      await log.append(`message-${staged.ref.id}`, noStream, notedAll('accepted'), staged);
    },
    damage: async ({ id }) => {
      const bytes = Uint8Array.from(bodies.get(id)!);
      bytes[50]! ^= 1;
      bodies.set(id, bytes);
    },
    close: () => log.close(),
  };
});
