import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { openOffice, type Office } from '../trace/office.ts';
import { jsonLines, startWaybill } from './run.ts';

let office: Office;
let follower: ChildProcess | undefined;
beforeEach(async () => {
  office = await openOffice();
});
afterEach(async () => {
  follower?.kill('SIGKILL');
  await office.remove();
});

/** Collects lines until there are `count`. */
function follow(...args: readonly string[]) {
  const child = startWaybill(office.path, 'log', '--follow', ...args);
  follower = child;
  let text = '';
  let stir = (): void => undefined;
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    stir();
  });
  const lines = () => jsonLines(text.slice(0, text.lastIndexOf('\n') + 1));
  return {
    child,
    lines,
    until: (count: number) =>
      new Promise<void>((resolve) => {
        stir = () => {
          if (lines().length >= count) resolve();
        };
        stir();
      }),
    ended: new Promise<number | null>((resolve) => child.once('close', resolve)),
  };
}

describe('waybill log --follow', () => {
  it('prints what is there, then what comes, each once and in order', async () => {
    const { until, lines, child, ended } = follow();
    await until(2);
    for (let n = 0; n < 5; n += 1) await office.accept([`rcpt${n}@b.test`]);
    await until(12);
    await Promise.all([office.accept(['a@b.test']), office.accept(['b@b.test'])]);
    await until(16);
    expect(lines().map(({ position }) => position)).toEqual(
      Array.from({ length: 16 }, (_, n) => n + 1),
    );
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('stops by itself when it has printed enough', async () => {
    const { lines, until, ended } = follow('--type', 'MessageQueued', '--limit', '2');
    await office.accept(['a@b.test']);
    await until(1);
    await office.accept(['b@b.test']);
    expect(await ended).toBe(0);
    expect(lines().map(({ type }) => type)).toEqual(['MessageQueued', 'MessageQueued']);
  });

  it('ends when its reader goes away', async () => {
    const { child, until, ended } = follow();
    await until(2);
    child.stdout!.destroy();
    await office.accept(['a@b.test']);
    expect(await ended).toBe(0);
  });
});
