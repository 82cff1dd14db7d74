import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { tempDir } from '../support/temp-dir.ts';
import { openOffice, says, type Office } from '../trace/office.ts';
import { jsonLines, startWaybill, waybill, type Ran } from './run.ts';

/** A letter that is through, one that waits, one that failed; and questions of our own beside them. */
let office: Office;
const config = tempDir();
const own = (name: string) => config.file(`questions/${name}`);
const readme = resolve(import.meta.dirname, '../../projections/README.md');
const start = Date.UTC(2026, 10, 20, 12);

beforeAll(async () => {
  office = await openOffice(start);
  const done = await office.accept(['bob@here.test']);
  await office.attempt(done, [0], [says('delivered', 0, 'did 1+0+0\n')]);
  office.clock.advance(60_000);
  const waiting = await office.accept(['ann@b.test']);
  await office.attempt(waiting, [0], [says('deferred', 0, '451 \u001b[31mbusy\n')]);
  office.clock.advance(60_000);
  const failed = await office.accept(['zoe@c.test']);
  await office.attempt(failed, [0], [says('failed', 0, '550 no such user\n')]);
  mkdirSync(config.file('questions'));
  writeFileSync(config.file('waybill.toml'), '[projections]\nfolders = ["questions"]\n');
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(readme, 'utf8'))![1]!;
  writeFileSync(own('bad-clients.ts'), example);
  writeFileSync(own('broken.mjs'), 'export const question = {\n  title: ,\n};\n');
  writeFileSync(own('lacks.ts'), '/** None. */\n\nexport const question = { title: 7 };\n');
  writeFileSync(own('ends.mjs'), 'process.exit(0);\n');
  writeFileSync(
    own('leaves.mjs'),
    `export const question = {
      title: 'Leaves', about: 'at the fourth', bounds: 'one number', empty: () => ({ n: 0 }),
      fold(view) {
        if (view.n === 3) console.log('\\u001b[31mloud');
        if (view.n === 3) process.exit(0);
        view.n += 1;
        return view;
      },
      answer: ({ n }) => ({ kind: 'lines', lines: [n + ' events'] }),
    };`,
  );
  writeFileSync(
    own('throws.ts'),
    [
      "import type { Question } from 'waybill';",
      'type View = { n: number };',
      'export const question: Question<View> = {',
      "  title: 'Counts', about: 'until it throws', bounds: 'one number',",
      '  empty: () => ({ n: 0 }),',
      '  fold(view, event) {',
      '    view.n += 1;',
      "    if (event.type === 'RecipientDeferred') throw new Error('what is that?');",
      '    return view;',
      '  },',
      "  answer: ({ n }) => ({ kind: 'lines', lines: [`${n} events`] }),",
      '};',
    ].join('\n'),
  );
});
afterAll(async () => {
  config.remove();
  await office.remove();
});

const ask = (...args: readonly string[]): Ran =>
  waybill(office.path, 'ask', ...args, '--config', config.path);

describe('waybill ask', () => {
  it('lists what can be asked, and says which files are no questions, line by line', () => {
    const { stdout, stderr, code } = ask();
    expect(stdout).toMatch(/^zoverall {2,}Everything/m);
    expect(stdout).toMatch(/^bad-clients {2,}Clients whose letters fail$/m);
    expect(stderr).toContain(`${own('broken.mjs')}:2: Unexpected token`);
    expect(stderr).toContain(`${own('lacks.ts')}:3: question.title must be a text`);
    expect([code, stdout.includes('broken')]).toEqual([111, false]);
  });

  it('answers now, and as of an instant or a position of the past', () => {
    const due = (...at: readonly string[]) =>
      jsonLines(ask('queue-contents', '--json', ...at).stdout).map(({ recipient }) => recipient);
    expect(due()).toEqual(['<ann@b.test>']);
    expect(due('--at', '2026-11-20T12:00:00')).toEqual(['<bob@here.test>']);
    expect(due('--at', '2')).toEqual([]);
    expect(due('--at', '4')).toEqual(['<bob@here.test>']);
  });

  it("shows tables a person and awk can read, and no stranger's byte as it is", () => {
    const { stdout, code } = ask('zdeferrals');
    expect(stdout).toMatch(/\n\ndel {2}xdelay {2}reason\n {2}1 {4}1\.50 {2}451__\[31mbusy\/\n$/);
    expect([code, /^[ -~\n]*$/.test(stdout)]).toEqual([0, true]);
  });

  it('prints the log that qmail would have written', () => {
    const { stdout } = ask('qmail-log', '--stamp', 'none', '--since', '2026-11-20T12:02');
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      expect.stringMatching(/^new msg \d+$/),
      expect.stringMatching(/^info msg \d+: bytes \d+ from <joe@here\.test> qp \d+ uid 7791$/),
      expect.stringMatching(/^starting delivery 3: msg \d+ to remote zoe@c\.test$/),
      'status: local 0/10 remote 1/20',
    ]);
  });

  it('answers a question that somebody invents today about all mail since the first day', () => {
    const rows = jsonLines(ask('bad-clients', '--json').stdout);
    expect(rows).toEqual([{ failed: 1, letters: 3, client: 'this machine' }]);
    expect(ask('bad-clients', '--least', '2', '--json').stdout).toBe('');
    expect(ask('bad-clients', '--help').stdout).toContain('--least <number>  only clients');
  });

  it('parks a question that throws: which event, which line, and what it had before', () => {
    const { stdout, stderr, code } = ask('throws');
    const events = /^(\d+) events$/m.exec(stdout)?.[1];
    const parked =
      /the question throws failed at event (\d+) \(RecipientDeferred, .*what is that\?/.exec(
        stderr,
      );
    expect(Number(events)).toBe(Number(parked?.[1]) - 1);
    expect(stderr).toContain(`${own('throws.ts')}:8:`);
    expect(code).toBe(100);
  });

  it('says that a question failed which ends its process, while it is asked or before', () => {
    const { stdout, stderr, code } = ask('leaves');
    expect(stdout).toMatch(/^3 events$/m);
    expect(stderr).toMatch(/the question leaves failed at event 4 .*: process\.exit\(0\)/);
    expect(stderr).toMatch(/the question leaves prints: \?\[31mloud/);
    expect(code).toBe(100);
    expect(ask('ends')).toMatchObject({
      code: 100,
      stderr: expect.stringMatching(/the question ends failed: .*ends\.mjs: it ended its process/),
    });
  });

  it('says what is wrong with a question that is misspelt, broken or given nonsense', () => {
    expect(ask('nothing')).toMatchObject({
      code: 100,
      stderr: expect.stringContaining('no question nothing'),
    });
    expect(ask('broken')).toMatchObject({
      code: 100,
      stderr: expect.stringContaining('broken.mjs:2'),
    });
    expect(ask('traffic', '--every', 'x').stderr).toContain('every must be a span of time');
  });

  (process.getuid?.() === 0 ? it : it.skip)(
    'runs nothing as root that somebody else could change',
    () => {
      chmodSync(own('throws.ts'), 0o666);
      const { stderr, code } = ask('throws');
      chmodSync(own('throws.ts'), 0o644);
      expect(stderr).toMatch(/not loaded, .*throws\.ts can be written by everybody/);
      expect(code).toBe(100);
    },
  );

  it('goes on with what comes, line by line, and ends when interrupted', async () => {
    const child = startWaybill(office.path, 'ask', 'qmail-log', '--stamp', 'none', '--follow');
    let text = '';
    const heard = new Promise<void>((done) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('to remote late@b.test')) done();
      });
    });
    const ended = new Promise<number | null>((done) => child.once('close', done));
    const late = await office.accept(['late@b.test']);
    await office.attempt(late, [0]);
    await heard;
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(text.match(/^new msg/gm)).toHaveLength(4);
  });
});

describe('a question that ends its process before the first event', () => {
  it('is told to have failed, for ever', () => {
    const text = `export const question = {
      title: 'Empty', about: '', bounds: '', empty: () => process.exit(0), fold: (n) => n, answer: () => 0,
    };`;
    writeFileSync(own('empty.mjs'), text);
    const { code, stderr } = waybill(office.path, 'ask', 'empty', '--config', config.path);
    rmSync(own('empty.mjs'));
    const why = 'the question empty failed: it ended its process: process.exit(0)';
    expect([code, stderr]).toEqual([100, expect.stringContaining(why)]);
  });
});

describe('waybill check', () => {
  it('warns of files that are no questions', () => {
    const { stdout } = waybill(office.path, 'check', '--config', config.path);
    expect(stdout).toContain(`${own('lacks.ts')}:3: warning: question.title must be a text`);
    expect(stdout).toContain(`${own('ends.mjs')}: warning: it ended its process: process.exit(0)`);
    expect(stdout).toMatch(/\d mistakes?: nothing starts with it\.\n$/);
  });
});

describe('an answer that goes on', () => {
  it.each([['traffic'], ['bad-clients']])(
    'is printed again when it is another one: %s',
    async (name) => {
      const asked = ['ask', name, '--follow', '--json', '--config', config.path];
      const traffic = startWaybill(office.path, ...asked);
      const lines: Record<string, unknown>[] = [];
      const twice = new Promise<void>((done) => {
        traffic.stdout!.on('data', (chunk: Buffer) => {
          lines.push(...jsonLines(chunk.toString()));
          if (lines.length === 1) void office.accept(['more@b.test']);
          if (lines.length === 2) done();
        });
      });
      await twice;
      traffic.kill('SIGTERM');
      const letters = lines.map(({ rows }) =>
        (rows as { letters: number }[]).reduce((sum, { letters: n }) => sum + n, 0),
      );
      expect(letters[1]! - letters[0]!).toBe(1);
    },
  );
});
