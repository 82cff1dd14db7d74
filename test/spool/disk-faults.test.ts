/** A disk that fails while a large body comes in: in a process of its own, whose calls strace spoils, or on a disk of its own. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { diskSpool } from '../../src/spool/disk/disk-spool.ts';
import { Child, logChildWords, works } from '../support/children.ts';
import { newId } from '../support/log-events.ts';
import { canMountTmpfs, tmpfsAt } from '../support/small-disk.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

const withStrace = works('strace', '-e', 'trace=none', 'true') ? it : it.skip;
const withMount = canMountTmpfs() ? it : it.skip;

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const openSpool = (path: string) =>
  diskSpool(path, { read: () => undefined, remove: async (ids) => ids });

describe('a large body whose', () => {
  withStrace.each([
    ['sync fails', ['-e', 'inject=fdatasync:error=EIO'], 'log-unavailable', 0],
    [
      'sync says that there was no room after all',
      ['-e', 'inject=fdatasync:error=ENOSPC'],
      'spool-full',
      0,
    ],
    ['writing fails', ['-e', 'inject=pwrite64:error=EIO'], 'log-unavailable', 0],
    ['disk is read-only now', ['-e', 'inject=pwrite64:error=EROFS'], 'log-unavailable', 0],
    ['disk is full', ['-e', 'inject=pwrite64:error=ENOSPC'], 'spool-full', 0],
    ["owner's quota is used up", ['-e', 'inject=pwrite64:error=EDQUOT'], 'spool-full', 0],
    // What cannot be removed either is left to the sweep.
    [
      'disk does not even forget',
      ['-e', 'inject=fdatasync,unlink:error=EIO'],
      'log-unavailable',
      3,
    ],
  ])('%s is refused, and the next is a file of its own', async (_, inject, code, left) => {
    openSpool(dir.file('spool'));
    const strace = ['strace', '-f', '-qq', '-o', dir.file('trace'), ...inject];
    const child = new Child([...strace, ...logChildWords('stage-three', dir.path)]);
    expect([await child.end(), child.errors]).toEqual([0, '']);
    const refused = `refused ${code}`;
    expect(child.lines).toEqual([refused, refused, refused, `left ${left}`]);
    expect(readdirSync(dir.file('spool/bodies'))).toEqual([]);
  });

  withStrace('folder cannot be synced is refused, though it lies in it', async () => {
    openSpool(dir.file('spool'));
    const inject = ['-P', dir.file('spool/bodies'), '-e', 'inject=fsync:error=EIO'];
    const strace = ['strace', '-f', '-qq', '-o', dir.file('trace'), ...inject];
    const child = new Child([...strace, ...logChildWords('stage-three', dir.path)]);
    expect([await child.end(), child.errors]).toEqual([0, '']);
    expect(new Set(child.lines)).toEqual(new Set(['refused log-unavailable', 'left 0']));
  });

  withMount('disk has no room for another name waits until it has', async () => {
    const disk = tmpfsAt(dir.file('disk'), 'size=4m,nr_inodes=12');
    try {
      const spool = openSpool(dir.file('disk/spool'));
      const names: string[] = [];
      for (;;) {
        const name = dir.file(`disk/${names.length}`);
        try {
          writeFileSync(name, '');
          names.push(name);
        } catch {
          break;
        }
      }
      expect(names.length).toBeGreaterThan(2);
      await expect(spool.stage(newId(), Buffer.alloc(100_000))).rejects.toMatchObject({
        code: 'spool-full',
        peer: 'disk full (#4.3.1)',
      });
      await expect(spool.open(newId())).rejects.toMatchObject({ code: 'spool-full' });
      rmSync(names[0]!);
      await expect(spool.stage(newId(), Buffer.alloc(100_000))).resolves.toBeDefined();
    } finally {
      disk.unmount();
    }
  });
});
