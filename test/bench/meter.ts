/** What a process tree and the disk have used: CPU, memory, syncs, bytes. Read from /proc; Linux only. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

export type Reading = {
  /** Seconds of CPU, user and system, of all processes ever in the group. */
  readonly cpu: number;
  /** Sum of proportional memory of all processes now, MiB. */
  readonly mebibytes: number;
  /** Whole machine: flushes of disk caches and KiB written, since boot. */
  readonly flushes: number;
  readonly kibibytes: number;
};

export type Group = {
  /** Puts a process, and so all it starts, into the group. */
  add(pid: number): void;
  pids(): readonly number[];
  read(): Reading;
  close(): void;
};

/** A cgroup where we may make one (root), so that processes that come and go are counted; else the tree of now. */
export function openGroup(name: string): Group {
  const v1 = '/sys/fs/cgroup/cpuacct';
  const base = readable(`${v1}/cpuacct.usage`) ? v1 : '/sys/fs/cgroup';
  const folder = `${base}/waybill-${name}-${process.pid}`;
  try {
    mkdirSync(folder);
  } catch {
    return treeGroup();
  }
  const pids = (): number[] =>
    readFileSync(`${folder}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  return {
    add: (pid) => writeFileSync(`${folder}/cgroup.procs`, String(pid)),
    pids,
    read: () => ({ cpu: cgroupCpu(folder), mebibytes: memoryOf(pids()), ...diskNow() }),
    close() {
      try {
        rmdirSync(folder);
      } catch {
        // Somebody is still in it; it goes with the machine.
      }
    },
  };
}

function treeGroup(): Group {
  const roots = new Set<number>();
  const pids = (): number[] => {
    const found = new Set(roots);
    for (let grown = -1; grown !== found.size;) {
      grown = found.size;
      for (const { pid, parent } of processes()) if (found.has(parent)) found.add(pid);
    }
    return [...found];
  };
  return {
    add: (pid) => void roots.add(pid),
    pids,
    read: () => ({
      cpu: pids().reduce((sum, pid) => sum + cpuOf(pid), 0),
      mebibytes: memoryOf(pids()),
      ...diskNow(),
    }),
    close: () => roots.clear(),
  };
}

function cgroupCpu(folder: string): number {
  const v1 = readable(`${folder}/cpuacct.usage`);
  if (v1 !== undefined) return Number(v1) / 1e9;
  const v2 = readable(`${folder}/cpu.stat`) ?? '';
  return Number(/usage_usec (\d+)/.exec(v2)?.[1] ?? 0) / 1e6;
}

const ticksPerSecond = 100;

/** CPU of a process and of its children that have ended. */
function cpuOf(pid: number): number {
  const stat = readable(`/proc/${pid}/stat`);
  if (stat === undefined) return 0;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

function memoryOf(pids: readonly number[]): number {
  const kib = pids.map((pid) => readable(`/proc/${pid}/smaps_rollup`) ?? '');
  return kib.reduce((sum, text) => sum + Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0), 0) / 1024;
}

function diskNow(): { flushes: number; kibibytes: number } {
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

function processes(): { pid: number; parent: number }[] {
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readable(`/proc/${name}/stat`) : undefined;
    if (stat === undefined) return [];
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return [{ pid: Number(name), parent }];
  });
}

function readable(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
