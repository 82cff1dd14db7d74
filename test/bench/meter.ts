/** What the processes of a server have used: CPU and memory. Read from /proc; Linux only. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { diskNow, readable, statOf } from './machine.ts';
import { rolesOf, type RoleUse } from './roles.ts';

export type Reading = {
  /** Seconds of CPU, user and system, of all processes ever in the group. */
  readonly cpu: number;
  /** Whole machine: flushes of disk caches and KiB written, since boot. */
  readonly flushes: number;
  readonly kibibytes: number;
};

export type Group = {
  /** Puts a process, and so all it starts, into the group. */
  add(pid: number): void;
  pids(): readonly number[];
  read(): Reading;
  /** Proportional memory now, MiB. Walks through page tables: not in the middle of a run. */
  memory(): number;
  /** Memory that is nobody else's, MiB: cheap to ask for, and what grows under load. */
  privateMemory(): number;
  roles(): readonly RoleUse[];
  close(): void;
};

/** A cgroup where we may make one (root), so that processes that come and go are counted; else the tree of now. */
export function openGroup(name: string): Group {
  const v1 = '/sys/fs/cgroup/cpuacct';
  const base = readable(`${v1}/cpuacct.usage`) === undefined ? '/sys/fs/cgroup' : v1;
  const folder = `${base}/waybill-${name}-${process.pid}`;
  try {
    mkdirSync(folder);
  } catch {
    return treeGroup();
  }
  const pids = (): number[] =>
    readFileSync(`${folder}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  return {
    ...asking(pids),
    add: (pid) => writeFileSync(`${folder}/cgroup.procs`, String(pid)),
    read: () => ({ cpu: cgroupCpu(folder), ...diskNow() }),
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
    const found = new Set([...roots].filter((pid) => statOf(pid) !== undefined));
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const parents = all.map((name) => ({ pid: Number(name), parent: Number(statOf(name)?.[1]) }));
    for (let grown = -1; grown !== found.size;) {
      grown = found.size;
      for (const { pid, parent } of parents) if (found.has(parent)) found.add(pid);
    }
    return [...found];
  };
  return {
    ...asking(pids),
    add: (pid) => void roots.add(pid),
    read: () => ({
      cpu: pids().reduce((sum, pid) => sum + treeCpu(pid), 0),
      ...diskNow(),
    }),
    close: () => roots.clear(),
  };
}

const asking = (pids: () => readonly number[]) => ({
  pids,
  memory: () => sumOver(pids(), 'smaps_rollup', /^Pss:\s+(\d+)/m) / 1024,
  privateMemory: () => sumOver(pids(), 'status', /^RssAnon:\s+(\d+)/m) / 1024,
  roles: () => rolesOf(pids()),
});

function cgroupCpu(folder: string): number {
  const v1 = readable(`${folder}/cpuacct.usage`);
  if (v1 !== undefined) return Number(v1) / 1e9;
  const v2 = readable(`${folder}/cpu.stat`) ?? '';
  return Number(/usage_usec (\d+)/.exec(v2)?.[1] ?? 0) / 1e6;
}

/** CPU of a process and of its children that have ended. */
function treeCpu(pid: number): number {
  const times = statOf(pid)?.slice(11, 15) ?? [];
  return times.reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

const sumOver = (pids: readonly number[], file: string, kib: RegExp): number =>
  pids
    .map((pid) => Number(kib.exec(readable(`/proc/${pid}/${file}`) ?? '')?.[1] ?? 0))
    .reduce((sum, each) => sum + each, 0);
