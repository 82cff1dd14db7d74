import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { eventLogContract } from '../contracts/event-log.ts';
import { sharedLogContract } from '../contracts/shared-log.ts';

eventLogContract(
  'the log in memory',
  async () => {
    const bodies = new Map<string, Uint8Array>();
    const log = new MemoryLog(bodies);
    return { log, spool: memorySpool(bodies), close: () => log.close() };
  },
  { reopens: false, carriesBodies: true },
);

sharedLogContract('a shared log in memory', async () => {
  const log = new MemoryLog();
  return { log, close: () => log.close() };
});
