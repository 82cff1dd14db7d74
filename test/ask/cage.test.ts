import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, writeFileSync } from 'node:fs';
import { openCaged, type Asking, type CagedIn } from '../../src/ask/asking.ts';
import { answerBefore } from '../../src/ask/restore.ts';
import { walk } from '../../src/ask/walk.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import * as mail from '../support/queue-mail.ts';
import { tempDir } from '../support/temp-dir.ts';
import { idEnding } from '../trace/recorded.ts';

/** Five letters, ten events. */
const log = new MemoryLog();
const dir = tempDir();
afterAll(async () => {
  await log.close();
  dir.remove();
});

const filled = (async () => {
  for (let n = 0; n < 5; n += 1) {
    await log.append(`message-${idEnding(String(n))}`, -1, mail.letter(`rcpt${n}@b.test`));
  }
})();

let files = 0;
/** Counts events; at the fifth it does what the test says. Whoever is silent on a busy machine may only be slow. */
async function caged(deed: string, how: CagedIn = {}, lines = '[String(n)]'): Promise<Asking> {
  await filled;
  files += 1;
  const file = dir.file(`fault${files}.mjs`);
  writeFileSync(
    file,
    `import * as fs from 'node:fs';
     import { execSync } from 'node:child_process';
     const kept = [];
     export const question = {
       title: 'A fault', about: '', bounds: '',
       empty: () => ({ n: 0 }),
       fold(view) {
         view.n += 1;
         if (view.n === 5) { ${deed} }
         return view;
       },
       answer: ({ n }) => ({ kind: 'lines', lines: ${lines} }),
     };`,
  );
  const loaded = await openCaged('fault', file, { graceMs: 60_000, ...how });
  if ('why' in loaded) throw new Error(loaded.why);
  return loaded.start({});
}

const five = { position: 5 };
/** For those who are to run into it. */
const hasty: CagedIn = { callMs: 500 };

describe('a question that goes wrong', () => {
  it.each([
    ['ends its process', 'process.exit(0)', /^it ended its process: process\.exit\(0\)$/, five],
    ['never ends', 'for (;;);', /^too slow: it took longer than 0\.5 s$/, five, hasty],
    [
      'waits',
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
      /^too slow/,
      five,
      hasty,
    ],
    ['searches', '/^(a+)+$/.test("a".repeat(40) + "b")', /^too slow/, five, hasty],
    ['writes a file', `fs.writeFileSync('${dir.file('evil')}', '')`, /restricted/, five],
    ['starts a program', "execSync('true')", /restricted/, five],
    [
      'crashes',
      "process.kill(process.pid, 'SIGSEGV')",
      /^its process was ended by SIGSEGV$/,
      undefined,
    ],
    ['aborts', 'process.abort()', /^its process was ended by SIGABRT$/, undefined],
    ['recurses', 'const down = () => down() + 1; down()', /^RangeError: Maximum call stack/, five],
  ])(
    'is parked, with what it had before: it %s',
    async (_, deed, why, event, how: CagedIn = {}) => {
      const asking = await caged(deed, how);
      await walk(log, asking);
      expect(asking.parked).toMatchObject({ during: 'fold', error: expect.stringMatching(why) });
      expect(asking.parked?.event?.position).toBe(event?.position);
      const before = await answerBefore(log, asking, 0);
      expect(before).toEqual({ kind: 'lines', lines: [event === undefined ? '0' : '4'] });
      expect(existsSync(dir.file('evil'))).toBe(false);
      asking.close();
    },
  );

  it.each([
    ['lists', 'for (;;) kept.push({ view });'],
    ['maps', 'const map = new Map(); for (let n = 0; ; n += 1) map.set(n, n);'],
    ['bytes that are in no heap', 'for (;;) kept.push(new Uint8Array(1e7).fill(1));'],
  ])('is parked when it takes too much memory: %s', async (_, deed) => {
    const asking = await caged(deed, { heapMiB: 32, besidesMiB: 128, callMs: 15_000 });
    await walk(log, asking);
    expect(asking.parked).toMatchObject({
      ...{ error: 'it needs more than 32 MiB of memory', memory: true },
    });
    expect(await answerBefore(log, asking, 0)).toBeUndefined();
    asking.close();
  });

  it('is parked for a promise that it left behind', async () => {
    const asking = await caged("Promise.reject(new Error('left behind'))");
    await walk(log, asking);
    expect(await asking.answer(0)).toBeUndefined();
    expect(asking.parked?.error).toMatch(/left behind failed: Error: left behind/);
  });

  it('is parked when its process stands still', async () => {
    const asking = await caged("process.kill(process.pid, 'SIGSTOP')", {
      ...{ callMs: 500, graceMs: 1_500 },
    });
    await walk(log, asking);
    expect(asking.parked?.error).toBe('it gave no sign of life for 2.5 s');
  });

  it('is parked when it writes among its answers', async () => {
    const asking = await caged("fs.writeSync(4, 'nonsense nonsense')");
    await walk(log, asking);
    expect(asking.parked?.error).toMatch(/wrote into the pipe/);
  });

  it('is parked when its answer is longer than anybody could read', async () => {
    const asking = await caged('', {}, "['x'.repeat(17 * 1024 * 1024)]");
    await walk(log, asking);
    expect(await asking.answer(0)).toBeUndefined();
    expect(asking.parked).toEqual({
      ...{ during: 'answer', error: 'it has more to say than 16 MiB at once' },
    });
    asking.close();
  });

  it('is ended when it writes a longer one itself, before any of it is kept', async () => {
    const head = '[1, 0, 0, 2]';
    const asking = await caged(
      `fs.writeSync(4, new Uint8Array(${head})); fs.writeSync(4, new Uint8Array(60000)); for (;;);`,
    );
    await walk(log, asking);
    expect(asking.parked?.error).toMatch(/^it has more to say than 16 MiB at once, or it wrote/);
  });

  it('goes on when it prints, and no line of that is an answer', async () => {
    const printed: string[] = [];
    const onPrinted = (line: string) => printed.push(line);
    const asking = await caged("for (let n = 0; n < 1000; n += 1) console.log('x' + n)", {
      onPrinted,
    });
    await walk(log, asking);
    expect(await asking.answer(0)).toEqual({ kind: 'lines', lines: ['10'] });
    expect([printed.length, printed[0], printed.at(-1)]).toEqual([
      ...[101, 'x0', 'and more, which is left out'],
    ]);
    asking.close();
  });
});

describe('what a question prints', () => {
  it('is cut short where a line does not end, and is not kept until it does', async () => {
    const printed: string[] = [];
    const deed = "for (let n = 0; n < 20; n += 1) fs.writeSync(1, 'x'.repeat(1e6)); console.log();";
    const asking = await caged(`${deed} console.error('and then');`, {
      ...{ callMs: 20_000, onPrinted: (line) => printed.push(line) },
    });
    await walk(log, asking);
    expect(await asking.answer(0)).toEqual({ kind: 'lines', lines: ['10'] });
    expect(printed.map(({ length }) => length).sort()).toEqual([1_000, 8]);
    asking.close();
  });
});

describe('a cage', () => {
  it('has no environment and no descriptors but its own', async () => {
    const asking = await caged(
      `view.n = JSON.stringify([Object.keys(process.env), fs.readdirSync('/proc/self/fd')
         .map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } })
         .filter((link) => link.startsWith('/') && link !== '/dev/null')])`,
    );
    await walk(log, asking, { upTo: { position: 5 } });
    expect(await asking.answer(0)).toEqual({ kind: 'lines', lines: ['[[],[]]'] });
    asking.close();
  });

  it('is not asked again when it is closed', async () => {
    const asking = await caged('');
    asking.close();
    await walk(log, asking);
    expect(asking.parked?.error).toBe('it was closed');
  });
});
