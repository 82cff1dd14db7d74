/** Whether the disk under the data directory keeps what it promises: what file system it is, and how long a sync takes. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorWords } from '../platform/errno.ts';

export type DiskCheck = {
  readonly directory: string;
  readonly exists: boolean;
  /** `ext4`, `nfs`; `unknown (0x1234)` for one we have no name for. */
  readonly fileSystem: string;
  readonly network: boolean;
  /** Of a small write and its sync, microseconds, the median of a few. */
  readonly syncMicros: number | undefined;
  readonly freeBytes: number;
  readonly warnings: readonly string[];
};

/** statfs(2). Locks and syncs of the network ones are not to be relied on. */
const fileSystems: Readonly<Record<number, readonly [name: string, network: boolean]>> = {
  0xef53: ['ext4', false],
  0x58465342: ['xfs', false],
  0x9123683e: ['btrfs', false],
  0x2fc12fc1: ['zfs', false],
  0x794c7630: ['overlay', false],
  0xf2f52010: ['f2fs', false],
  0x01021994: ['tmpfs', false],
  0x858458f6: ['ramfs', false],
  0x6969: ['nfs', true],
  0x517b: ['smb', true],
  0xff534d42: ['cifs', true],
  0xfe534d42: ['smb2', true],
  0x01021997: ['9p', true],
  0x00c36400: ['ceph', true],
  0x5346414f: ['afs', true],
  0x6b414653: ['afs', true],
  0x73757245: ['coda', true],
  0x564c: ['ncp', true],
  0x0bd00bd0: ['lustre', true],
  0x47504653: ['gpfs', true],
  0x65735546: ['fuse', false],
};

/** A disk that answers faster than this has kept nothing. */
const incredibleMicros = 20;
const samples = 15;
/** Below this the log soon cannot grow. */
const littleBytes = 512 * 1024 * 1024;

/** Writes and removes one small file; in the nearest directory that exists, where the data directory does not yet. */
export function checkDisk(data: string): DiskCheck {
  const directory = resolve(data);
  const exists = existsSync(directory);
  const place = nearest(directory);
  const { type, bavail, bsize } = statfsSync(place);
  const [fileSystem, network] = fileSystems[type >>> 0] ?? [
    `unknown (0x${(type >>> 0).toString(16)})`,
    false,
  ];
  const freeBytes = bavail * bsize;
  const measured = measureSync(place);
  const syncMicros = typeof measured === 'number' ? measured : undefined;
  const facts = { fileSystem, network, syncMicros, freeBytes };
  const unwritable = typeof measured === 'string' ? [`cannot be written: ${measured}`] : [];
  return { directory, exists, ...facts, warnings: [...unwritable, ...warningsOf(facts)] };
}

/** What an operator should know of the ground that the letters lie on. */
export function warningsOf({
  fileSystem,
  network,
  syncMicros = Infinity,
  freeBytes,
}: Pick<DiskCheck, 'fileSystem' | 'network' | 'syncMicros' | 'freeBytes'>): readonly string[] {
  const warnings: string[] = [];
  if (network) {
    warnings.push(
      `lies on a network file system (${fileSystem}), whose locks and syncs may not hold: letters can be lost, or two engines run at once`,
    );
  }
  if (fileSystem === 'tmpfs' || fileSystem === 'ramfs') {
    warnings.push(`lies in memory (${fileSystem}): a reboot loses all letters`);
  }
  if (fileSystem === 'fuse') {
    warnings.push('lies on a FUSE file system: make sure that its syncs reach a disk');
  }
  if (syncMicros < incredibleMicros) {
    warnings.push(
      `answers a sync in ${syncMicros} us, which no disk can: a power cut may lose letters that were accepted`,
    );
  }
  if (freeBytes < littleBytes) {
    warnings.push(`has only ${Math.floor(freeBytes / 1024 / 1024)} MiB left`);
  }
  return warnings;
}

/** `ext4, a sync takes 350 us, 63 MiB free`. */
export function groundWords(
  ground: Pick<DiskCheck, 'fileSystem' | 'syncMicros' | 'freeBytes'>,
): string {
  const { fileSystem, syncMicros, freeBytes } = ground;
  const sync = syncMicros === undefined ? 'no sync measured' : `a sync takes ${syncMicros} us`;
  const mebibytes = Math.floor(freeBytes / 1024 ** 2);
  const free = mebibytes < 10_240 ? `${mebibytes} MiB` : `${Math.floor(mebibytes / 1024)} GiB`;
  return `${fileSystem}, ${sync}, ${free} free`;
}

function nearest(directory: string): string {
  let place = directory;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}

/** The median in microseconds, or why it cannot be measured. */
function measureSync(directory: string): number | string {
  const file = join(directory, `.waybill-check-${process.pid}`);
  try {
    const descriptor = openSync(file, 'wx', 0o600);
    try {
      const block = Buffer.alloc(4096, 'w');
      const took: number[] = [];
      for (let sample = 0; sample < samples; sample += 1) {
        const start = process.hrtime.bigint();
        writeSync(descriptor, block);
        fdatasyncSync(descriptor);
        took.push(Number(process.hrtime.bigint() - start) / 1000);
      }
      return Math.round(took.sort((a, b) => a - b)[samples >> 1]!);
    } finally {
      closeSync(descriptor);
      rmSync(file, { force: true });
    }
  } catch (cause) {
    return errorWords(cause);
  }
}
