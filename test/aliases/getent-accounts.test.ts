import { describe, expect, it } from '@jest/globals';
import { getentAccounts } from '../../src/aliases/getent-accounts.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { exited, scriptedProcesses } from '../../src/platform/scripted-processes.ts';
import type { Ended } from '../../src/platform/processes.ts';

function book(answer: () => Ended) {
  const processes = scriptedProcesses(answer);
  const clock = new ManualClock();
  return { accounts: getentAccounts({ processes, clock }), processes, clock };
}

describe('getent', () => {
  it('finds an account and who owns its home', async () => {
    const { accounts, processes } = book(() => exited(0, 'joe:x:1501:1502:Joe,,,:/:/bin/sh\n'));
    expect(await accounts.lookUp('joe')).toEqual({ uid: 1501, gid: 1502, home: '/', homeOwner: 0 });
    expect(processes.commands[0]).toMatchObject({ file: 'getent', args: ['passwd', 'joe'] });
  });

  it('tells "no such user" from trouble', async () => {
    expect(await book(() => exited(2)).accounts.lookUp('joe')).toBe('none');
    expect(await book(() => exited(1)).accounts.lookUp('joe')).toBe('temporary');
    expect(await book(() => ({ ...exited(0), how: 'stopped' })).accounts.lookUp('joe')).toBe(
      'temporary',
    );
    const missing = book(() => {
      throw new Error('no getent here');
    });
    expect(await missing.accounts.lookUp('joe')).toBe('temporary');
  });

  it('reports an account without a home', async () => {
    const { accounts } = book(() => exited(0, 'joe:x:1501:1502::/nonexistent/joe:/bin/sh\n'));
    expect(await accounts.lookUp('joe')).not.toHaveProperty('homeOwner');
  });

  it.each([['0'], ['1501'], ['-s'], ['a:b'], ['']])('is never asked for %p', async (name) => {
    const { accounts, processes } = book(() => exited(0, 'root:x:0:0:root:/root:/bin/sh\n'));
    expect(await accounts.lookUp(name)).toBe('none');
    expect(processes.commands).toHaveLength(0);
  });

  it('is asked again after half a minute, not before', async () => {
    const { accounts, processes, clock } = book(() => exited(2));
    await accounts.lookUp('joe');
    await accounts.lookUp('joe');
    expect(processes.commands).toHaveLength(1);
    clock.advance(30_000);
    await accounts.lookUp('joe');
    expect(processes.commands).toHaveLength(2);
  });

  it('is asked once for a name, and for a few names at a time', async () => {
    const answers: ((ended: Ended) => void)[] = [];
    const processes = scriptedProcesses(() => new Promise((resolve) => answers.push(resolve)));
    const accounts = getentAccounts({ processes, clock: new ManualClock() });
    const names = ['a', 'b', 'a', 'c', 'd', 'e', '7up', 'a'];
    const all = Promise.all(names.map((name) => accounts.lookUp(name)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(processes.commands.map(({ args }) => args[1])).toEqual(['a', 'b', 'c', 'd']);
    for (let n = 0; n < 6; n += 1) {
      answers[n]!(exited(2));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await all).toEqual(names.map(() => 'none'));
    expect(processes.commands.map(({ args }) => args[1])).toEqual(['a', 'b', 'c', 'd', 'e', '7up']);
  });
});
