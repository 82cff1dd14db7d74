import { describe, expect, it } from '@jest/globals';
import type { DoorEvent } from '../../src/ingress/events.ts';
import { replies } from '../../src/ingress/smtp/replies.ts';
import { formatRefusal } from '../../src/trace/refusal-words.ts';
import { becauseOf, findRefusals } from '../../src/trace/refusals.ts';
import { recorded, type Told } from './recorded.ts';

type Refused = Extract<DoorEvent, { type: 'Refused' }>['data'];

const files = { me: 'here.test\n', badmailfrom: '# x\n@spam.test\n', 'tcp.smtp': '10.:deny\n' };
const rules = { digest: 'd', files, at: 1, position: 0, stream: 'node-a-1' };
const history = { rules: new Map([['d', rules]]), loads: [rules], newest: rules };

const refused = (day: string, data: Partial<Refused>): Told => ({
  stream: `door-smtp-2026-01-${day}-abc`,
  event: {
    ...{ type: 'Refused', v: 1, at: Date.UTC(2026, 0, Number(day)) },
    data: { peer: '192.0.2.1:25', reply: replies.notInRcpthosts.text, ...data },
  },
});

const events = recorded(
  refused('01', { recipient: 'Joe@Far.test', returnPath: 'a@b.test' }),
  refused('01', { recipient: 'x@here.test', reply: replies.nobodyHome.text }),
  refused('02', { returnPath: 'a@spam.test', reply: replies.badReturnPath.text }),
  refused('02', { peer: '[2001:db8::1]:9', recipient: 'joe@far.test', helo: '\u001b[2J' }),
);

const asked = (about: string, more: { limit?: number; upTo?: number } = {}) =>
  findRefusals(
    {
      log: {
        readStream: async (stream, { from = Infinity, limit = 9 } = {}) =>
          events
            .filter((event) => event.stream === stream && event.revision <= from)
            .reverse()
            .slice(0, Math.min(limit, 1)),
      },
      streams: ['door-smtp-2026-01-01-abc', 'door-smtp-2026-01-02-abc'],
      ...{ about, limit: 10, ...more },
    },
    history,
  );

const positions = async (...args: Parameters<typeof asked>) =>
  (await asked(...args)).map(({ position }) => position);

describe('what a door refused', () => {
  it('is found by recipient, return path, domain or client, the newest first', async () => {
    expect(await positions('joe@far.test')).toEqual([4, 1]);
    expect(await positions('<A@b.test>')).toEqual([1]);
    expect(await positions('@far.test')).toEqual([4, 1]);
    expect(await positions('192.0.2.1')).toEqual([3, 2, 1]);
    expect(await positions('2001:db8::1')).toEqual([4]);
    expect(await positions('nobody@nowhere.test')).toEqual([]);
  });

  it('is cut off at a limit and at a moment of the past', async () => {
    expect(await positions('192.0.2.1', { limit: 2 })).toEqual([3, 2]);
    expect(await positions('joe@far.test', { upTo: 3 })).toEqual([1]);
  });

  it('is told with the line that speaks for it, and harmlessly', async () => {
    const [bad] = await asked('a@spam.test');
    expect(bad).toMatchObject({
      ...{ door: 'smtp', because: 'bad-return-path', controls: { digest: 'd', position: 0 } },
      lines: [{ file: 'badmailfrom', line: 2, text: '@spam.test' }],
    });
    expect(formatRefusal(bad!)).toContain('  control/badmailfrom:2: @spam.test');
    expect(formatRefusal((await asked('2001:db8::1'))[0]!).join('\n')).toMatch(/^[ -~\n]+$/);
  });

  it.each([
    [replies.notInRcpthosts, 'not-in-rcpthosts'],
    [replies.badReturnPath, 'bad-return-path'],
    [replies.nobodyHome, 'nobody-home'],
    [replies.tooLarge, 'too-large'],
    [replies.tooManyHops, 'looping'],
    [replies.full, 'crowded'],
    [replies.tooManyOfYou, 'crowded'],
    [replies.broken, 'trouble'],
    [replies.utf8Needed, 'protocol'],
  ] as const)('because of %o: %s', ({ text }, because) => {
    expect(becauseOf(text)).toBe(because);
  });
});
