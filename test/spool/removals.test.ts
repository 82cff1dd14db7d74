import { describe, expect, it } from '@jest/globals';
import { removals } from '../../src/spool/removals.ts';

describe('bodies that may go', () => {
  it('go together, when told or when there are many', async () => {
    const gone: string[][] = [];
    const spool = { remove: async (ids: readonly string[]) => void gone.push([...ids]) };
    const bodies = removals(spool, () => undefined, 3);
    for (const id of ['a', 'b', 'c', 'd']) bodies.add(id);
    await bodies.flush();
    await bodies.flush();
    expect(gone).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('are kept in mind when the spool cannot remove them now', async () => {
    let broken = true;
    const gone: string[] = [];
    const spool = {
      remove: async (ids: readonly string[]) => {
        if (broken) throw new Error('disk');
        gone.push(...ids);
      },
    };
    const bodies = removals(spool, () => undefined);
    bodies.add('a');
    await expect(bodies.flush()).rejects.toThrow('disk');
    broken = false;
    bodies.add('b');
    await bodies.flush();
    expect(gone).toEqual(['a', 'b']);
  });
});
