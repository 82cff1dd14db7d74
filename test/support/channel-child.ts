/** A parent that outlives what its child writes into node's channel; run as `channel-child.ts`. */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { outliveChannels } from '../../src/composition/roles/outlive-channels.ts';

/** Node's channel, by its place in `stdio`. */
const channel = 3;

if (process.argv[2] === 'child') {
  for (const line of ['no JSON', '{"cmd":"NODE_HANDLE"', '"\\', '{"type":"ready"}']) {
    writeSync(channel, `${line}\n`);
    await sleep(50);
  }
} else {
  outliveChannels((cause) => console.log(`trouble: ${(cause as Error).name}`));
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'child'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => console.log(`heard: ${JSON.stringify(message)}`));
  child.on('exit', () => {
    console.log('alive');
    setImmediate(() => {
      throw new Error('a mistake of our own');
    });
  });
}
