/**
 * The machine's accounts through `getent passwd`, which asks whatever the machine asks (files, LDAP, SSSD).
 * Unlike getpwnam its exit code tells "no such user" from "nobody answers". Answers are kept a while.
 */
import type { Clock } from '../platform/clock.ts';
import type { Ended, Processes } from '../platform/processes.ts';
import { withHomeOwner, type Account, type Accounts } from './accounts.ts';

export type GetentParts = { readonly processes: Processes; readonly clock: Clock };

/** How long an answer may be used again. */
const freshMs = 30_000;
/** Strangers choose the names that are asked for, so the memory of them is bounded. */
const maxRemembered = 1_000;
/** Processes at once; who comes later waits. */
const maxAtOnce = 4;

type Answer = Account | 'none' | 'temporary';

export function getentAccounts({ processes, clock }: GetentParts): Accounts {
  const remembered = new Map<string, { answer: Answer; until: number }>();
  const underWay = new Map<string, Promise<Answer>>();
  const limited = atMost(maxAtOnce);

  async function askNow(name: string): Promise<Answer> {
    try {
      const answer = await limited(() => ask(processes, name));
      if (answer === 'temporary') return answer;
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(name, { answer, until: clock.steady() + freshMs });
      return answer;
    } finally {
      underWay.delete(name);
    }
  }

  async function lookUp(name: string): Promise<Answer> {
    // getent takes digits for a uid and a dash for an option; no account is called so.
    if (!/^[a-z0-9_][^:\s\0]*$/.test(name) || /^\d+$/.test(name)) return 'none';
    const known = remembered.get(name);
    if (known !== undefined && known.until > clock.steady()) return known.answer;
    const asking = underWay.get(name) ?? askNow(name);
    underWay.set(name, asking);
    return asking;
  }
  return { lookUp };
}

/** Runs so many at once and no more. */
function atMost(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place of whoever leaves.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

async function ask(processes: Processes, name: string): Promise<Answer> {
  const ended = await processes
    .run({
      file: 'getent',
      args: ['passwd', name],
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      timeoutMs: 20_000,
      maxOutputBytes: 4_096,
    })
    .catch(() => undefined);
  return ended === undefined ? 'temporary' : read(ended, name);
}

/** getent(1): 0 found, 2 no such key; all else is trouble. */
function read(ended: Ended, name: string): Answer {
  if (ended.how !== 'exit') return 'temporary';
  if (ended.code === 2) return 'none';
  const line = new TextDecoder().decode(ended.output).split('\n')[0] ?? '';
  const [found, , uid = '', gid = '', , home = ''] = line.split(':');
  if (ended.code !== 0 || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return 'temporary';
  if (found !== name) return 'none';
  return withHomeOwner({ uid: Number(uid), gid: Number(gid), home });
}
