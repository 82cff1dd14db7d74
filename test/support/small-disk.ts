/** Small file systems of a test's own: mounted where the test wants them, gone with it. Needs root. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { openSync, closeSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

export type SmallDisk = {
  /** Where it is mounted. */
  readonly path: string;
  /** Takes all the room that is left, but for so many bytes. */
  fill(leave?: number): void;
  /** Gives back what `fill` took. */
  free(): void;
  unmount(): void;
};

export type Ext4Disk = SmallDisk & {
  /** Makes it find itself damaged. */
  fail(): void;
  /** Unmounts, repairs, mounts; nobody may be at work on it. */
  repair(): Promise<void>;
};

const run = (program: string, ...args: string[]): string => {
  const { status, stderr, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
};

/** In memory: small, quick, and full when it says so. */
export function tmpfsAt(path: string, options: string): SmallDisk {
  mkdirSync(path, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', path);
  return diskAt(path, () => undefined);
}

/** ext4 that believes to be `mib` large on a device that has less: what it takes cannot all be synced. */
export function thinAt(path: string, mib: number, really: number): Ext4Disk & { grow(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-disk-'));
  run('mount', '-t', 'tmpfs', '-o', `size=${really}m`, 'tmpfs', folder);
  try {
    const disk = ext4At(path, mib, folder);
    return {
      ...disk,
      grow: () => void run('mount', '-o', `remount,size=${2 * mib}m`, folder),
      unmount() {
        disk.unmount();
        spawnSync('umount', ['--lazy', folder]);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (cause) {
    spawnSync('umount', ['--lazy', folder]);
    throw cause;
  }
}

/** ext4 on a loop device, `mib` large; `remount-ro` is what it does about errors of its own. */
export function ext4At(
  path: string,
  mib: number,
  folder = mkdtempSync(join(tmpdir(), 'waybill-disk-')),
): Ext4Disk {
  const image = join(folder, 'image');
  writeFileSync(image, '');
  truncateSync(image, mib * 1024 * 1024);
  run('mkfs.ext4', '-q', '-m', '0', image);
  const device = run('losetup', '--find', '--show', image).trim();
  const forget = () => {
    spawnSync('losetup', ['-d', device]);
    rmSync(image, { force: true });
    if (readdirSync(folder).length === 0) spawnSync('rmdir', [folder]);
  };
  try {
    mkdirSync(path, { recursive: true });
    run('mount', '-o', 'errors=remount-ro', device, path);
  } catch (cause) {
    forget();
    throw cause;
  }
  return {
    ...diskAt(path, forget),
    // A file system damaged as far as it knows; it is read-only from then on.
    fail: () => writeFileSync(`/sys/fs/ext4/${device.replace('/dev/', '')}/trigger_fs_error`, '1'),
    async repair() {
      run('umount', path);
      // Somebody else's namespace may hold the mount for a moment longer.
      await until(() => (spawnSync('e2fsck', ['-fy', device]).status ?? 8) < 4, 'a repaired disk');
      run('mount', '-o', 'errors=remount-ro', device, path);
    },
  };
}

function diskAt(path: string, forget: () => void): SmallDisk {
  // The roles of an engine started by root are other users, and must get in.
  chmodSync(path, 0o711);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill(leave = 0) {
      const file = openSync(ballast, 'a');
      try {
        for (let size = 1024 * 1024; size >= 4096;) {
          const { bavail, bsize } = statfsSync(path);
          if (bavail * bsize - leave < size) size /= 2;
          else writeSync(file, Buffer.alloc(size, 'b'));
        }
      } catch (cause) {
        if ((cause as { code?: string }).code !== 'ENOSPC') throw cause;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    unmount() {
      spawnSync('umount', ['--lazy', path]);
      forget();
    },
  };
}

const tries = (make: (path: string) => SmallDisk): boolean => {
  if (process.getuid?.() !== 0) return false;
  const path = mkdtempSync(join(tmpdir(), 'waybill-mount-'));
  try {
    make(path).unmount();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
};

/** Whether this machine lets us: asked once, when the tests are named. */
export const canMountTmpfs = (): boolean => tries((path) => tmpfsAt(path, 'size=64k'));
export const canMountExt4 = (): boolean => tries((path) => ext4At(path, 8));
