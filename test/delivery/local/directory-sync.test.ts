import { describe, expect, it } from '@jest/globals';
import { tmpdir } from 'node:os';
import { directorySync } from '../../../src/delivery/local/directory-sync.ts';
import { systemFiles, type FileCalls } from '../../../src/delivery/local/file-calls.ts';

function slow() {
  const pending: ((cause: Error | null) => void)[] = [];
  const fsync = ((_fd: number, done: (cause: Error | null) => void) => {
    pending.push(done);
  }) as unknown as FileCalls['fsync'];
  return { sync: directorySync({ ...systemFiles, fsync }), pending };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('syncs of one directory', () => {
  it('are shared by all who ask before one begins, never with one that runs already', async () => {
    const { sync, pending } = slow();
    const first = sync(tmpdir(), (run) => run());
    const others = [
      sync(tmpdir(), (run) => run()),
      sync(tmpdir(), (run) => run()),
      sync(tmpdir(), (run) => run()),
    ];
    expect(pending).toHaveLength(1);
    pending[0]?.(null);
    await first;
    await settle();
    expect(pending).toHaveLength(2);
    pending[1]?.(null);
    await Promise.all(others);
    expect(pending).toHaveLength(2);
  });

  it('that fail are the trouble of those who waited for them only', async () => {
    const { sync, pending } = slow();
    const first = sync(tmpdir(), (run) => run());
    const second = sync(tmpdir(), (run) => run());
    pending[0]?.(new Error('EIO'));
    await expect(first).rejects.toThrow('EIO');
    await settle();
    pending[1]?.(null);
    await expect(second).resolves.toBeUndefined();
  });
});
