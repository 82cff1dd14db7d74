import { beforeEach, describe, expect, it } from '@jest/globals';
import { nodeStream, openNodeLog, type NodeLog } from '../../src/control/node-log.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { FaultyLog, type Fault } from '../support/faulty-log.ts';
import { birth } from '../support/queue-mail.ts';

let log: FaultyLog;
let clock: ManualClock;
let node: NodeLog;
let faults: Fault[];

beforeEach(() => {
  faults = [];
  log = new FaultyLog(new MemoryLog(), () => faults.shift() ?? 'none');
  clock = new ManualClock(birth);
  node = openNodeLog(log, 'Here.Test', clock);
});

const stop = (why: string) => node.tell({ type: 'NodeStopped', data: { why, open: 0 } });
const told = async () =>
  (await log.inner.readStream(nodeStream('here.test', birth))).map(
    ({ data }) => (data as { why: string }).why,
  );

describe('the story of a node', () => {
  it.each([
    ['here.test', 0, 'node-here.test-0'],
    ['Mail.Here.TEST', 35, 'node-mail.here.test-z'],
    ['a b/c\r\n', 36, 'node-a-b-c---10'],
  ])('of %j stands in a stream of its own per start', (name, startedAt, stream) => {
    expect(nodeStream(name, startedAt)).toBe(stream);
  });

  it('is told in order, each event with its time', async () => {
    faults = ['late'];
    const first = stop('one');
    clock.advance(5);
    await Promise.all([first, stop('two'), stop('three')]);
    expect(await told()).toEqual(['one', 'two', 'three']);
    const [, second] = await log.inner.readStream(nodeStream('here.test', birth));
    expect(second).toMatchObject({ type: 'NodeStopped', v: 1, at: birth + 5 });
  });

  it.each<[string, Fault[], string[]]>([
    ['one lost answer', ['lost'], ['one', 'two']],
    ['one refusal', ['refused'], ['one', 'two']],
  ])('survives %s unharmed', async (_, bad, all) => {
    faults = bad;
    await Promise.all([stop('one'), stop('two')]);
    expect(await told()).toEqual(all);
  });

  it.each<[string, Fault[], string[]]>([
    ['lost, then refused: it is there nevertheless', ['lost', 'refused'], ['one', 'two']],
    ['refused twice', ['refused', 'refused'], ['two']],
    ['not taken by a full log', ['full'], ['two']],
  ])('goes on after an event was %s', async (_, bad, all) => {
    faults = bad;
    const first = stop('one');
    const second = stop('two');
    await expect(first).rejects.toMatchObject({ tryAgain: true });
    await second;
    expect(await told()).toEqual(all);
  });
});
