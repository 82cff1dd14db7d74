/** A process as /proc shows it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type ProcessFacts = {
  /** Real, effective, saved and file system's. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  /** All five sets of capabilities are empty but the bounding one, which only limits. */
  readonly isPowerless: boolean;
  readonly umask: string;
};

/** Of each thread: rights are a thread's own, whatever its process believes. */
export const threadsOf = (pid: number): readonly ProcessFacts[] =>
  readdirSync(`/proc/${pid}/task`).map((task) => factsOf(`/proc/${pid}/task/${task}/status`));

function factsOf(file: string): ProcessFacts {
  const text = readFileSync(file, 'utf8');
  const words = (key: string): readonly string[] =>
    (new RegExp(`^${key}:[ \\t]*(.*)$`, 'm').exec(text)?.[1] ?? '').split(/\s+/).filter(Boolean);
  return {
    uids: words('Uid').map(Number),
    gids: words('Gid').map(Number),
    groups: words('Groups')
      .map(Number)
      .sort((a, b) => a - b),
    isPowerless: ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].every((set) =>
      /^0+$/.test(words(set)[0] ?? ''),
    ),
    umask: words('Umask')[0] ?? '',
  };
}

/** What its descriptors lead to: paths, `socket:[12]`, `pipe:[12]`. */
export const openIn = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed while we looked.
      return [];
    }
  });

/** Its sockets that reach beyond this machine: TCP, UDP and raw ones, listening ones too. */
export function networkSocketsOf(pid: number): readonly string[] {
  const inodes = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[9]),
  );
  const known = new Set(inodes.map((inode) => `socket:[${inode}]`));
  return openIn(pid).filter((name) => known.has(name));
}
