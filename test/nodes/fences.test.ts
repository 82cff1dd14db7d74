/** Fences where the event store knows them, and where it does not. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkFences } from '../../src/cli/check-fences.ts';
import { readConfig } from '../../src/control/config.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { noStream } from '../../src/log/ports.ts';
import { behindFence } from '../../src/nodes/fences.ts';
import { joinNodes } from '../../src/nodes/membership.ts';
import { takeLease } from '../../src/nodes/pipeline.ts';
import { suspect } from '../../src/nodes/suspicion.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { openLetters } from '../../src/queue/letters.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { accept, hold, start, verdict } from '../support/queue-mail.ts';
import { idOf } from '../support/random-letters.ts';

class LogBefore261 extends MemoryLog {
  override async canAppendTogether(): Promise<boolean> {
    return false;
  }
}

const clock = new ManualClock();

const join = (log: MemoryLog) =>
  joinNodes({
    ...{ log, clock, self: 'a', node: 'one', fenced: true },
    adopt: async () => undefined,
    onTrouble: () => undefined,
  });

const raise = (log: MemoryLog, self: string) =>
  log.append(`fence-${self}`, noStream, [
    { type: 'FenceRaised', v: 1, at: 0, data: { by: 'somebody' } },
  ]);

describe('a node with fences', () => {
  it('says so in its lease, and does not begin on a log that knows none', async () => {
    const log = new MemoryLog();
    await join(log).open();
    expect(await log.readStream('lease-a')).toMatchObject([{ data: { fenced: true } }]);
    const before = new LogBefore261();
    await expect(join(before).open()).rejects.toMatchObject({ code: 'refused', tryAgain: false });
    expect(await before.head()).toBe(0);
  });

  it('behind its fence begins nothing, and still reports what happened and obeys an operator', async () => {
    const log = new MemoryLog();
    const letters = openLetters({ log: behindFence(log, 'a') });
    const [first, second] = [idOf(1), idOf(2)];
    await letters.handle(first, accept('x@far.test', 'y@far.test'));
    await letters.handle(first, start(['x@far.test']));
    await raise(log, 'a');
    const fenced = { code: 'fenced', tryAgain: true };
    await expect(letters.handle(second, accept('x@far.test'))).rejects.toMatchObject(fenced);
    const again = start(['y@far.test'], { rcpts: [1] });
    await expect(letters.handle(first, again)).rejects.toMatchObject(fenced);
    expect(await letters.handle(first, verdict('delivered', 0))).toHaveLength(1);
    expect(await letters.handle(first, hold(0))).toHaveLength(1);
    const story = await log.readStream(`message-${first}`);
    expect(story.map(({ type }) => type)).toEqual([
      ...['MessageAccepted', 'MessageQueued', 'AttemptStarted'],
      ...['RecipientDelivered', 'MessageHeld'],
    ]);
  });

  it('has its fence raised with its lease taken, or neither', async () => {
    const log = new MemoryLog();
    await join(log).open();
    const lease = { incarnation: 'a', revision: 0, fenced: true } as const;
    await log.append('lease-a', 0, [{ type: 'LeaseBeat', v: 1, at: 0, data: {} }]);
    const taker = { log, self: 'b', clock };
    await takeLease(taker, { lease, why: 'silent' });
    expect(await log.readStream('fence-a')).toEqual([]);
    await takeLease(taker, { lease: { ...lease, revision: 1 }, why: 'silent' });
    expect(await log.readStream('fence-a')).toMatchObject([
      { type: 'FenceRaised', data: { by: 'b' } },
    ]);
  });

  it('is taken all the same where the log knows no fences any more', async () => {
    const log = new LogBefore261();
    await log.append('lease-a', noStream, [{ type: 'LeaseBeat', v: 1, at: 0, data: {} }]);
    const lease = { incarnation: 'a', revision: 0, fenced: true } as never;
    await takeLease({ log, self: 'b', clock }, suspect(lease, 'silent'));
    expect((await log.readStream('lease-a')).at(-1)!.type).toBe('LeaseTaken');
    expect(await log.readStream('fence-a')).toEqual([]);
  });
});

describe('waybill check', () => {
  const servers: StandIn[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const said = async (env: Record<string, string>) => {
    const config = readConfig({ dir: 'config', env: { WAYBILL_NODES_FENCES: 'true', ...env } });
    return (await checkFences(config)).map(({ message }) => message);
  };
  const at = async (version: string) => {
    const server = await new StandIn({ version }).start();
    servers.push(server);
    return { WAYBILL_LOG_ENGINE: 'kurrentdb', WAYBILL_LOG_URL: server.url() };
  };

  it('asks the event store whether it knows fences', async () => {
    expect(await said(await at('26.1.0'))).toEqual([]);
    expect(await said(await at('26.0.3'))).toEqual([expect.stringContaining('server 26.1')]);
  });

  it('says that fences are of no use without an event store, and nothing where nobody wants them', async () => {
    expect(await said({})).toEqual([expect.stringContaining('without an event store')]);
    expect(await said({ WAYBILL_NODES_FENCES: 'false' })).toEqual([]);
  });
});
