/**
 * What each role of a server has used, read from /proc: which process the time goes to. Waybill's roles carry
 * their names as process titles; of any other server a role is the name of its program.
 */
import { readable, statOf } from './machine.ts';

export type RoleUse = {
  readonly role: string;
  readonly processes: number;
  /** Seconds of CPU so far, all threads, by those of its processes that live. */
  readonly user: number;
  readonly system: number;
  /** Proportional memory now. */
  readonly mebibytes: number;
  /** Sent to disk on its behalf so far, by those of its processes that live. */
  readonly kibibytes: number;
};

/** What a role used per letter of one run. */
export type RoleCost = {
  readonly role: string;
  readonly processes: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly kibibytes: number;
  readonly mebibytes: number;
};

const ticksPerSecond = 100;

export function rolesOf(pids: readonly number[]): readonly RoleUse[] {
  const uses = new Map<string, RoleUse>();
  for (const pid of pids) {
    const use = useOf(pid);
    if (use === undefined) continue;
    const so = uses.get(use.role);
    uses.set(use.role, so === undefined ? use : sum(so, use));
  }
  return [...uses.values()].sort((a, b) => a.role.localeCompare(b.role));
}

/** Processes that ended in between are missing: their time is in the group's sum only. */
export function roleCosts(
  before: readonly RoleUse[],
  after: readonly RoleUse[],
  letters: number,
): readonly RoleCost[] {
  return after.map(({ role, processes, user, system, mebibytes, kibibytes }) => {
    const was = before.find((other) => other.role === role);
    const perLetter = (now: number, then = 0) => (Math.max(0, now - then) * 1000) / letters;
    return {
      ...{ role, processes, mebibytes },
      userMs: perLetter(user, was?.user),
      systemMs: perLetter(system, was?.system),
      kibibytes: perLetter(kibibytes, was?.kibibytes) / 1000,
    };
  });
}

const sum = (a: RoleUse, b: RoleUse): RoleUse => ({
  role: a.role,
  processes: a.processes + b.processes,
  user: a.user + b.user,
  system: a.system + b.system,
  mebibytes: a.mebibytes + b.mebibytes,
  kibibytes: a.kibibytes + b.kibibytes,
});

function useOf(pid: number): RoleUse | undefined {
  const fields = statOf(pid);
  const program = readable(`/proc/${pid}/cmdline`);
  // It ended while we looked.
  if (fields === undefined || program === undefined) return undefined;
  const memory = readable(`/proc/${pid}/smaps_rollup`) ?? '';
  const written = readable(`/proc/${pid}/io`) ?? '';
  return {
    role: roleName(program.split('\0')),
    processes: 1,
    user: Number(fields[11]) / ticksPerSecond,
    system: Number(fields[12]) / ticksPerSecond,
    mebibytes: Number(/^Pss:\s+(\d+)/m.exec(memory)?.[1] ?? 0) / 1024,
    kibibytes: Number(/^write_bytes: (\d+)/m.exec(written)?.[1] ?? 0) / 1024,
  };
}

/** `waybill queue` is a title; `node … main.ts … serve` is the role `start`. */
function roleName([program = '', ...args]: readonly string[]): string {
  const title = /^waybill (\w+)/.exec(program)?.[1];
  if (title !== undefined) return title;
  if (args.includes('serve')) return 'start';
  return program.slice(program.lastIndexOf('/') + 1) || '?';
}
