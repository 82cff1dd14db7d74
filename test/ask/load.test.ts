import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { loadAll, loadOne, type Loading, type Refused } from '../../src/ask/load.ts';
import { tempDir } from '../support/temp-dir.ts';

const dir = tempDir();
const folder = dir.file('questions');
const write = (name: string, text: string): string => {
  writeFileSync(`${folder}/${name}`, text);
  return `${folder}/${name}`;
};
/** Whoever is silent on a busy machine may only be slow. */
const loading: Loading = { folders: [folder], graceMs: 60_000 };
/** For those who are to run into it. */
const hasty: Loading = { ...loading, loadMs: 1_500 };
const fit = (title: string): string =>
  `export const question = { title: '${title}', about: '', bounds: '', empty: () => 0, fold: (n) => n, answer: () => 0 };\n`;

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});
afterAll(() => dir.remove());

describe('a file that is no question', () => {
  it.each([
    [
      'turns.ts',
      'for (let n: number = 0; ; n += 1);',
      /not loaded within 1500 ms: .*without an end/,
      hasty,
    ],
    ['awaits.mjs', 'await 1; for (;;);', /no sign of life/, { ...hasty, graceMs: 1_000 }],
    ['exits.mjs', 'process.exit(0);', /ended its process: process\.exit\(0\)/],
    ['throws.mjs', '\nthrow new Error("no");', /^no$/],
    [
      'rejects.mjs',
      `${fit('a')}Promise.reject(new Error('left'));`,
      /left behind failed: Error: left/,
    ],
    [
      'starts.mjs',
      'import { execSync } from "node:child_process"; execSync("true");',
      /restricted/,
    ],
    ['kills.mjs', 'process.kill(process.pid, "SIGKILL");', /ended by SIGKILL/],
    ['breaks.mjs', 'export const question = {\n  title: ,\n};', /Unexpected token/],
    ['lacks.mjs', 'export default {};', /question\.title must be a text/],
  ])('is refused, and nothing else stops: %s', async (name, text, why, how = loading) => {
    const file = write(name, text);
    const refused = await loadOne(name.replace(/\..*/, ''), how);
    expect(refused).toEqual(expect.objectContaining({ file, why: expect.stringMatching(why) }));
  });

  it('is refused, and nothing else stops: waits.mjs', async () => {
    const file = write('waits.mjs', 'await new Promise(() => undefined);');
    const why: string[] = [];
    // Where a machine needs longer than that to find out that it waits, it cannot know.
    for (const loadMs of [1_000, 5_000, 20_000]) {
      const refused = await loadOne('waits', { ...loading, loadMs });
      expect(refused).toMatchObject({ file });
      why.push((refused as Refused).why);
      if (why.at(-1)!.includes('waits')) break;
    }
    expect(why.at(-1)).toMatch(/not loaded within \d+ ms: it waits/);
  });
});

describe('the list of questions', () => {
  it('has the files that are questions, and names the others with their lines', async () => {
    write('good.mjs', fit('Good'));
    const bad = write('bad.mjs', '\n\nexport const question = 7;\n');
    write('exits.mjs', 'process.exit(0)');
    const { questions, refused } = await loadAll(loading);
    expect(questions.find(({ name }) => name === 'good')?.question.title).toBe('Good');
    expect(refused.map(({ file, line }) => [file, line])).toEqual([
      [bad, 3],
      [`${folder}/exits.mjs`, undefined],
    ]);
  });

  it('hears of a file that was changed', async () => {
    const title = async () =>
      (await loadAll(loading)).questions.find(({ name }) => name === 'mine')?.question.title;
    write('mine.mjs', fit('One'));
    expect(await title()).toBe('One');
    write('mine.mjs', fit('Another'));
    expect(await title()).toBe('Another');
  });
});
