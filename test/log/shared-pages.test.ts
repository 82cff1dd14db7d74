import { describe, expect, it } from '@jest/globals';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import { sharePages } from '../../src/log/shared-pages.ts';
import type { LogReader, ReadAll } from '../../src/log/ports.ts';

async function counted(events: number) {
  const inner = new MemoryLog();
  const add = (no: number) =>
    inner.append(`node-${no}`, -1, [{ type: 'NodeStopped', v: 1, at: no, data: { why: '' } }]);
  for (let no = 0; no < events; no += 1) await add(no);
  const reads: ReadAll[] = [];
  let fails = 0;
  const readAll: LogReader['readAll'] = async (asked) => {
    reads.push(asked);
    await new Promise((resolve) => setImmediate(resolve));
    if (fails > 0) {
      fails -= 1;
      throw new Error('away');
    }
    return inner.readAll(asked);
  };
  const fail = (times: number): void => void (fails = times);
  return { log: sharePages({ readAll }), reads, add, fail };
}

async function walk(log: Pick<LogReader, 'readAll'>, slow = 0): Promise<number[]> {
  const heard: number[] = [];
  for (let after = 0; ;) {
    const page = await log.readAll({ after, limit: 10 });
    heard.push(...page.map(({ position }) => position));
    if (page.length < 10) return heard;
    after = page.at(-1)!.position;
    for (let turn = 0; turn < slow; turn += 1) await new Promise((next) => setImmediate(next));
  }
}

describe('pages that several read', () => {
  it('are read once, however fast each of them is, and heard whole and in order by all', async () => {
    const { log, reads } = await counted(55);
    const all = Array.from({ length: 55 }, (_, no) => no + 1);
    expect(await Promise.all([walk(log), walk(log), walk(log, 3)])).toEqual([all, all, all]);
    // Five whole pages; the end is asked for by each.
    expect(reads.filter(({ after }) => after! < 50)).toHaveLength(5);
  });

  it('are read again by one who is far behind, and nothing is missed', async () => {
    const { log, reads } = await counted(300);
    const first = await walk(log);
    expect(await walk(log)).toEqual(first);
    expect(reads.length).toBeGreaterThan(31);
  });

  it('at the end of the log are as young as the question', async () => {
    const { log, add } = await counted(5);
    const early = log.readAll({ after: 0, limit: 10 });
    await add(5);
    const late = log.readAll({ after: 0, limit: 10 });
    expect((await late).length).toBe(6);
    await early;
    await add(6);
    expect((await log.readAll({ after: 0, limit: 10 })).length).toBe(7);
  });

  it('that could not be read are asked for anew, by those who waited as well', async () => {
    const { log, fail } = await counted(20);
    fail(1);
    const [one, two] = await Promise.allSettled([
      log.readAll({ after: 0, limit: 10 }),
      log.readAll({ after: 0, limit: 10 }),
    ]);
    expect([one.status, two.status]).toEqual(['rejected', 'fulfilled']);
    expect((await log.readAll({ after: 0, limit: 10 })).length).toBe(10);
  });
});
