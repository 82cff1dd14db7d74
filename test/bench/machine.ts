/** The machine as a whole: who else uses it, what its disks did, its page cache. From /proc; Linux only. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

const ticksPerSecond = 100;

/** Of all disks since boot: flushes of their caches, and KiB written. */
export function diskNow(): { readonly flushes: number; readonly kibibytes: number } {
  let flushes = 0;
  let kibibytes = 0;
  for (const line of (readable('/proc/diskstats') ?? '').split('\n')) {
    const fields = line.trim().split(/\s+/);
    const name = fields[2];
    if (name === undefined || /^(loop|ram|dm-)/.test(name)) continue;
    if (readable(`/sys/block/${name}/size`) === undefined) continue;
    kibibytes += Number(fields[9]) / 2;
    flushes += Number(fields[18] ?? 0);
  }
  return { flushes, kibibytes };
}

/** Seconds of CPU that anybody used, and that the hypervisor kept for others, all processors together. */
export function machineCpu(): { readonly busy: number; readonly stolen: number } {
  const line = (readable('/proc/stat') ?? '').split('\n', 1)[0]!;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / ticksPerSecond);
  return { busy: user + nice + system + irq + softirq, stolen };
}

/** Of this process and of those that it started and that have ended: the load generators. */
export function ownCpu(): number {
  const fields = statOf('self');
  return fields === undefined ? 0 : sumOf(fields, 11, 15);
}

/** User and system time of a process, without its children. */
export function cpuOf(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined ? 0 : sumOf(fields, 11, 13);
}

/** The kernel's own threads: they work for whoever makes them. */
export function kernelCpu(): number {
  let sum = 0;
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (fields !== undefined && (fields[1] === '2' || name === '2')) sum += sumOf(fields, 11, 13);
  }
  return sum;
}

export const canDropCaches = (): boolean => process.getuid?.() === 0;

/** As after a boot: nothing of any file is in memory. Needs root. */
export function dropCaches(): void {
  spawnSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

/** The fields of a process's stat from its state on: 1 is the parent, 11 to 14 are the times. */
export function statOf(pid: number | string): readonly string[] | undefined {
  const stat = readable(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function readable(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const sumOf = (fields: readonly string[], from: number, to: number): number =>
  fields.slice(from, to).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
