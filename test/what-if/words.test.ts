import { describe, expect, it } from '@jest/globals';
import { notesOn } from '../../src/what-if/notes.ts';
import { toRuleSet } from '../../src/what-if/rule-set.ts';
import { formatDifference, formatSummary } from '../../src/what-if/words.ts';
import { birth } from '../support/queue-mail.ts';
import { askWhatIf, digestOf, historyOf, runUnder, whole } from './two-offices.ts';

const hostile = 'evil\u001b[2J\n@b.test';
const letters = ['ann@b.test', hostile, 'joe@c.test'].map((to) => ({
  returnPath: 'joe@a.test',
  recipients: [to],
}));
const was = { smtproutes: 'c.test:old.test\n' };
const wouldBe = { smtproutes: 'b.test:192.0.2.1:26\nc.test:new.test\n', concurrencyremote: '1\n' };

describe('an answer in words', () => {
  it('has both sides with their lines, and not a byte that a terminal would obey', async () => {
    const { differences, summary } = await askWhatIf(await runUnder(was, letters, 1), was, wouldBe);
    const lines = [...formatSummary(summary), ...differences.flatMap(formatDifference)];
    expect(lines.join('\n')).toMatch(/^[ -~\n]+$/);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/judged again: 3 letters and 0 refusals differ\.$/),
        '  3 recipients would have gone elsewhere',
        '    was remote c.test through old.test:25',
        '      control/smtproutes:1: c.test:old.test',
        '    would be remote c.test through new.test:25',
        '      control/smtproutes:2: c.test:new.test',
      ]),
    );
  });

  it('says what is not judged, where it matters', () => {
    const notes = (files: Record<string, string>) =>
      notesOn({
        log: { readAll: async () => [], head: async () => 0 },
        history: historyOf({}, digestOf({})),
        rules: toRuleSet(whole(files), { digest: '' }),
      }).join();
    expect(notes({ concurrencyremote: '9\n', timeoutremote: '9\n' })).toMatch(
      /concurrencyremote: who waits.*timeoutremote: how connections/,
    );
    expect(notes({})).not.toContain('concurrency');
  });

  it('is about the letters between two times only', async () => {
    const events = await runUnder(was, letters, 1);
    const ask = async (times: { since?: number; until?: number }) =>
      (await askWhatIf(events, was, wouldBe, times)).summary.letters;
    expect(await ask({ since: birth + 60_000 })).toBe(2);
    expect(await ask({ since: birth + 60_000, until: birth + 60_000 })).toBe(1);
    expect(await ask({ until: birth - 1 })).toBe(0);
  });
});
