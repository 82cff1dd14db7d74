import { describe, expect, it } from '@jest/globals';
import { recipientCheck } from '../../src/ingress/recipients.ts';
import type { RecipientCheckParts } from '../../src/ingress/recipients.ts';
import { isTrouble } from '../../src/mail/trouble.ts';
import { ManualClock } from '../../src/platform/clock.ts';

function check(changes: Partial<RecipientCheckParts> = {}) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const receives = recipientCheck({
    clock,
    route: (address) => ({
      channel: address.endsWith('@far.test') ? 'remote' : 'local',
      address: address.replace('@virtual.test', '-virtual@demo.test'),
    }),
    directory: {
      receives: (address) => {
        asked.push(address);
        return Promise.resolve(!address.startsWith('nobody'));
      },
    },
    ...changes,
  });
  return { clock, asked, receives };
}

describe('the recipient check', () => {
  it('lets everything remote through without asking', () => {
    const { receives, asked } = check();
    expect(receives('nobody@far.test')).toBe(true);
    expect(asked).toEqual([]);
  });

  it('asks for the routed address', async () => {
    const { receives, asked } = check();
    await receives('joe@virtual.test');
    expect(asked).toEqual(['joe-virtual@demo.test']);
  });

  it('believes a yes for five seconds, and then asks again', async () => {
    const { receives, asked, clock } = check();
    await receives('joe@demo.test');
    clock.advance(4_999);
    expect(receives('joe@demo.test')).toBe(true);
    clock.advance(1);
    expect(await receives('joe@demo.test')).toBe(true);
    expect(asked).toEqual(['joe@demo.test', 'joe@demo.test']);
  });

  it('asks again after a no, since somebody may just have made the address', async () => {
    const there = new Set<string>();
    const directory = { receives: async (address: string) => there.has(address) };
    const { receives } = check({ directory });
    expect(await receives('joe-new@demo.test')).toBe(false);
    there.add('joe-new@demo.test');
    expect(await receives('joe-new@demo.test')).toBe(true);
  });

  it('keeps a bounded number of answers and forgets the oldest', async () => {
    const { receives, asked } = check({ cacheEntries: 2 });
    for (const who of ['a', 'b', 'c']) await receives(`${who}@demo.test`);
    expect(receives('b@demo.test')).toBe(true);
    expect(receives('c@demo.test')).toBe(true);
    await receives('a@demo.test');
    expect(asked).toHaveLength(4);
  });

  it('fails when the directory is silent, and remembers nothing of it', async () => {
    const { receives, clock } = check({
      directory: { receives: () => new Promise<boolean>(() => undefined) },
    });
    const answer = Promise.resolve(receives('joe@demo.test')).catch((cause: unknown) => cause);
    clock.advance(10_000);
    const cause = await answer;
    expect(isTrouble(cause) && cause.tryAgain).toBe(true);
    expect(receives('joe@demo.test')).toBeInstanceOf(Promise);
  });

  it('leaves no alarm behind when the directory answers', async () => {
    const { receives, clock } = check();
    await receives('joe@demo.test');
    await Promise.resolve();
    expect(clock.next()).toBeUndefined();
  });
});
