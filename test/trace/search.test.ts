import { describe, expect, it } from '@jest/globals';
import { fits } from '../../src/trace/address-pattern.ts';
import { answerOf, statusOf, type Question } from '../../src/trace/search.ts';
import {
  birth,
  cancelled,
  cleanedUp,
  deferred,
  delivered,
  failed,
  held,
  letter,
  letterFrom,
  redirected,
  settled,
  started,
} from '../support/queue-mail.ts';
import { idEnding, ofLetter, recorded } from './recorded.ts';

describe('an address pattern', () => {
  it.each([
    ['joe@a.test', 'Joe@A.test', true],
    ['joe@a.test', 'joe@a.test.evil', false],
    ['@a.test', 'joe@a.test', true],
    ['@a.test', 'joe@b.a.test', false],
    ['@a.test', 'joe@x@a.test', true],
    ['@a.test', 'a.test', false],
    ['*a.test', 'joe@b.a.test', true],
    ['joe*', 'joe@a.test', true],
    ['*o*@*.test', 'joe@a.test', true],
    ['*oo*', 'joe@a.test', false],
    ['a*a', 'a', false],
    ['<>', '', true],
    ['<>', 'joe@a.test', false],
    ['*', '', true],
    ['**x**', 'axb', true],
  ])('%s against %s: %p', (pattern, address, expected) => {
    expect(fits(pattern, address)).toBe(expected);
  });
});

const ids = {
  waiting: idEnding('01'),
  sent: idEnding('02'),
  bounced: idEnding('03'),
  held: idEnding('04'),
  gone: idEnding('05'),
};

const log = recorded(
  ...ofLetter(
    [...letter('ann@b.test'), started(['ann@b.test']), deferred(0, 'ann@b.test', 400)],
    ids.waiting,
  ),
  ...ofLetter(
    [
      ...letter('bob@here.test'),
      started(['bob@here.test']),
      delivered(0, 'bob@here.test'),
      cleanedUp(),
    ],
    ids.sent,
  ),
  ...ofLetter(
    [
      ...letterFrom('', 'eve@c.test', 'ann@b.test'),
      started(['eve@c.test']),
      failed(0, 'eve@c.test'),
      started(['ann@b.test'], { attempt: 2, rcpts: [1] }),
      delivered(1, 'ann@b.test', { attempt: 2 }),
      settled([0]),
      {
        type: 'BounceQueued',
        v: 1,
        at: birth,
        data: { child: 'X', kind: 'bounce', to: 'x' },
      },
      cleanedUp(),
    ],
    ids.bounced,
  ),
  ...ofLetter([...letter('ann@b.test'), held()], ids.held),
  ...ofLetter(
    [
      ...letter('old@b.test'),
      redirected(0, 'new@here.test'),
      cancelled(0, 'new@here.test'),
      cleanedUp(),
    ],
    ids.gone,
  ),
);

const stories = Object.entries(ids).map(
  ([name, id]) => [name, log.filter(({ stream }) => stream === `message-${id}`)] as const,
);

const found = (question: Question): string[] =>
  stories
    .filter(([, story]) => answerOf(story, question) !== undefined)
    .map(([name]) => name)
    .sort();

describe('a search', () => {
  it.each<[Question, string[]]>([
    [{}, ['bounced', 'gone', 'held', 'sent', 'waiting']],
    [{ status: 'waiting' }, ['waiting']],
    [{ status: 'held' }, ['held']],
    [{ status: 'delivered' }, ['bounced', 'sent']],
    [{ status: 'failed' }, ['bounced']],
    [{ status: 'bounced' }, ['bounced']],
    [{ status: 'cancelled' }, ['gone']],
    [{ status: 'done' }, ['bounced', 'gone', 'sent']],
    [{ sender: '<>' }, ['bounced']],
    [{ sender: '@here.test' }, ['gone', 'held', 'sent', 'waiting']],
    [{ recipient: 'ann@b.test' }, ['bounced', 'held', 'waiting']],
    [{ recipient: 'ann@b.test', status: 'failed' }, []],
    [{ recipient: 'eve@c.test', status: 'bounced' }, ['bounced']],
    [{ recipient: 'old@b.test' }, ['gone']],
    [{ recipient: 'new@here.test' }, ['gone']],
    [{ host: 'c.test' }, ['bounced']],
    [{ host: 'c.test', recipient: 'ann@b.test' }, []],
    [{ reply: 'HELLO' }, ['bounced', 'sent', 'waiting']],
    [{ reply: 'hello', status: 'waiting' }, ['waiting']],
    [{ since: birth }, ['bounced', 'gone', 'held', 'sent', 'waiting']],
    [{ since: birth + 1 }, []],
    [{ until: birth - 1 }, []],
    [{ id: ids.sent.slice(-6) }, ['sent']],
    [{ parent: ids.sent }, []],
  ])('for %j finds %j', (question, expected) => {
    expect(found(question)).toEqual(expected);
  });

  it('has one word for each letter', () => {
    const words = stories.map(([name, story]) => [name, statusOf(answerOf(story, {})!)]);
    expect(Object.fromEntries(words)).toEqual({
      ...{ waiting: 'waiting', sent: 'delivered', bounced: 'bounced' },
      ...{ held: 'held', gone: 'cancelled' },
    });
  });

  it('makes nothing of a story whose beginning is lost', () => {
    expect(answerOf(stories[0]![1].slice(1), {})).toBeUndefined();
    expect(answerOf([], {})).toBeUndefined();
  });
});
