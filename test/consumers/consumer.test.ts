/** A consumer of a log that takes its time to answer, as an event store does. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { openConsumer, type Consumer } from '../../src/consumers/consumer.ts';
import { openOffice, type Office } from '../trace/office.ts';

let office: Office;
beforeEach(async () => {
  office = await openOffice();
  await office.accept(['r@b.test']);
});
afterEach(async () => {
  await office.log.close();
  office.dir.remove();
});

/** Its end is told a moment after it was asked for. */
const openAuditor = (): Promise<Consumer> =>
  openConsumer({
    directory: office.dir.file('consumers'),
    name: 'auditor',
    log: {
      readAll: (options) => office.log.readAll(options),
      readStream: (stream) => office.log.readStream(stream),
      head: async () => {
        await sleep(20);
        return office.log.head();
      },
    },
  });

it('keeps what was handled just before it is closed', async () => {
  const first = await openAuditor();
  first.handled(1).catch(() => undefined);
  await first.close();
  const second = await openAuditor();
  expect(second.position).toBe(1);
  await second.close();
});

it('says when it is closed that what was handled last cannot be kept', async () => {
  const auditor = await openAuditor();
  auditor.handled(1_000_000).catch(() => undefined);
  await expect(auditor.close()).rejects.toThrow('there is none yet');
  await (await openAuditor()).close();
});
