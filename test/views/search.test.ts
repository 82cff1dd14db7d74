/** Views and a walk through the log must say the same of any mail, wherever the views stand. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import type { MessageId } from '../../src/mail/envelope.ts';
import { openPages, type LogPages } from '../../src/log/sqlite/open-pages.ts';
import type { RecordedEvent } from '../../src/log/ports.ts';
import { answerOf, type Found, type Question } from '../../src/trace/search.ts';
import { buildViews } from '../../src/views/build.ts';
import { openViews } from '../../src/views/open-views.ts';
import { openOffice, type Office } from '../trace/office.ts';
import { chooser, shuffle } from './mailbag.ts';

let office: Office;
let log: LogPages;
let directory: string;
beforeEach(async () => {
  office = await openOffice();
  directory = office.dir.file('views');
  mkdirSync(directory);
  log = openPages(office.logFile);
});
afterEach(async () => {
  log.close();
  await office.remove();
});

const rested = async () => undefined;

async function build(): Promise<void> {
  for await (const _ of buildViews({ log, directory, rest: rested, afresh: true })) void _;
}

/** What each letter's story says, the youngest letter first. */
function walked(events: readonly RecordedEvent[], question: Question): Found[] {
  const stories = Map.groupBy(events, ({ stream }) => stream);
  return [...stories.values()].flatMap((story) => answerOf(story, question) ?? []).reverse();
}

const allEvents = () => log.readAll({ limit: 100_000 });

function questionsAbout(ids: readonly MessageId[], since: number): Question[] {
  const one = ids[Math.floor(ids.length / 2)]!;
  return [
    {},
    ...['joe@here.test', '<>', '@far.test', 'A"B C@far.test', 'j*@here.test', '*@here.test', '*n@*', 'JÖN@here.test'].map(
      (sender) => ({ sender }),
    ),
    ...['bob@b.test', '@C.test', 'zoe*', '*bob*', "O'Neil@b.test", 'nobody@x.test'].map((recipient) => ({ recipient })),
    ...(['waiting', 'held', 'delivered', 'failed', 'bounced', 'cancelled', 'doubt', 'done'] as const).flatMap(
      (status) => [{ status }, { status, sender: '@here.test' }, { status, recipient: '@b.test' }],
    ),
    ...['mx.b.test', 'b.test', '192.0.2.7', '2001:db8::*', '*.b.test', 'mx.*'].map((host) => ({ host })),
    ...['queued as 4F2B', '4f2b1c9', 'in 300 sec', 'no such user', 'x1y', 'er "x1y2z3w4"', 'Greylisted', '1 4.7.1 <bob',
      'absent', 'r', ' ', '1y2z', 'establish an smtp', 'again in 300', 'message.\nRemote'].map((reply) => ({ reply })),
    { domain: 'far.test' },
    { domain: 'b.test', status: 'failed' },
    { id: one },
    { id: one.slice(0, 13) },
    { id: one.slice(-3) },
    { parent: ids[0]! },
    { since },
    { until: since },
    { since: since - 600_000, until: since, status: 'delivered' },
    { minBytes: 10, maxBytes: 13 },
    { minBytes: 100_000 },
    { messageId: 'x@y.test' },
    { host: 'mx.b.test', reply: 'no such user', status: 'failed' },
    { sender: '@here.test', recipient: 'bob@*', host: 'b.test', reply: 'ok' },
  ]; // prettier-ignore
}

describe('a search', () => {
  it.each([1, 2, 3])(
    'finds in the views what a walk through the log finds (mail %i)',
    async (seed) => {
      const choice = chooser(seed);
      const ids: MessageId[] = [];
      await shuffle(office, ids, 60, choice);
      await build();
      const views = openViews({ log, directory });
      const middle = office.clock.now() - 1_800_000;
      for (const more of [0, 25, 25]) {
        // Events that the views do not know yet, on old letters and new ones.
        await shuffle(office, ids, more, choice);
        const events = await allEvents();
        for (const question of questionsAbout(ids, middle)) {
          const expected = walked(events, question);
          const { letters, next } = await views.search({ ...question, limit: 10_000 });
          expect([question, letters.map(brief)]).toEqual([question, expected.map(brief)]);
          expect(next).toBeUndefined();
        }
      }
      views.close();
    },
  );

  it('gives its answer in pages without losing or repeating a letter', async () => {
    const ids: MessageId[] = [];
    const choice = chooser(7);
    await shuffle(office, ids, 80, choice);
    await build();
    await shuffle(office, ids, 40, choice);
    const views = openViews({ log, directory });
    const question = { recipient: '@b.test' };
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = await views.search({ ...question, limit: 3, ...(after && { after }) });
      found.push(...page.letters.map(({ message }) => message));
      after = page.next;
    } while (after !== undefined);
    expect(found).toEqual(walked(await allEvents(), question).map(({ message }) => message));
    expect(found.length).toBeGreaterThan(6);
    // Trying that again would not help.
    const nonsense = views.search({ limit: 3, after: 'zz' });
    await expect(nonsense).rejects.toMatchObject({ code: 'refused', tryAgain: false });
    views.close();
  });
});

const brief = ({ message, returnPath, bytes, held, bounced, done, recipients }: Found) => ({
  ...{ message, returnPath, bytes, held, bounced, done },
  recipients: recipients.map(({ address, formerly, status, attempts, reply, doubt }) => ({
    ...{ address, formerly, status, attempts, reply, doubt },
  })),
});
