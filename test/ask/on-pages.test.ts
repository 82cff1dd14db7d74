import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { questionAnswers } from '../../src/desk/deep-answers.ts';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import * as mail from '../support/queue-mail.ts';
import { tempDir } from '../support/temp-dir.ts';
import { idEnding } from '../trace/recorded.ts';

const log = new MemoryLog();
const dir = tempDir();
const question = (deed: string): string => `export const question = {
  title: 'Mine', about: '', bounds: '', empty: () => ({ n: 0 }), fold(view) { ${deed} view.n += 1; return view; },
  answer: ({ n }) => ({ kind: 'lines', lines: [String(n)] }),
};`;

beforeAll(async () => {
  await log.append(`message-${idEnding('1')}`, -1, mail.letter('a@b.test'));
  writeFileSync(dir.file('counts.mjs'), question(''));
  writeFileSync(dir.file('leaves.mjs'), question('if (view.n === 1) process.exit(0);'));
});
afterAll(async () => {
  await log.close();
  dir.remove();
});

describe('a question from a page', () => {
  const questions = questionAnswers({
    ...{ log, clock: { now: () => mail.birth }, rest: async () => undefined },
    ...{
      loading: { folders: [dir.path], graceMs: 60_000 },
      history: () => Promise.reject(new Error('none')),
    },
  });

  it('is answered, also after one that ended its process', async () => {
    expect((await questions.list()).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['counts', 'leaves', 'traffic']),
    );
    await expect(questions.ask('leaves', { given: {} })).rejects.toThrow(
      /the question leaves failed at event 2 .*process\.exit\(0\)/,
    );
    expect(await questions.ask('counts', { given: {} })).toEqual({ kind: 'lines', lines: ['2'] });
    const before = { place: { position: 1 }, given: {} };
    expect(await questions.ask('counts', before)).toEqual({ kind: 'lines', lines: ['1'] });
  });

  it('says which one it does not know, or which option', async () => {
    await expect(questions.ask('none', { given: {} })).rejects.toThrow('there is no question none');
    await expect(questions.ask('traffic', { given: { every: 'x' } })).rejects.toThrow(
      /every must be a span/,
    );
  });

  it('waits for nobody: the second is told to come again', async () => {
    const first = questions.ask('counts', { given: {} });
    await expect(questions.ask('counts', { given: {} })).rejects.toMatchObject({ code: 'busy' });
    await first;
  });
});
