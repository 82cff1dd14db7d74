/**
 * Locks on an open file that other programs ask the kernel for: fcntl(2) (dovecot, mutt, procmail, postfix)
 * and flock(2) (qmail's own). Node can make neither. A small program does it on a descriptor that it shares
 * with us and ends; both sorts of lock (fcntl's in its form for open files, OFD) belong to the open file,
 * so that ours stays locked until we close it.
 *
 * perl, which every Debian has, makes both; where there is none, flock(1) of util-linux makes its own.
 * Without either there are dot-locks only (`dot-lock.ts`).
 */
import { errnoOf } from '../../platform/errno.ts';
import type { Command, Processes } from '../../platform/processes.ts';
import type { LockAnswer } from './dot-lock.ts';
import type { Who } from './identity.ts';

/** Tries for so long, in milliseconds. `owner`: whom the program runs as, where that is not us. */
export type KernelLock = (fd: number, waitMs: number, owner?: Who) => Promise<LockAnswer>;

/** F_OFD_SETLKW, the same on all of Linux's machines; other systems have no such locks. */
const setLockAndWait = process.platform === 'linux' ? 38 : 0;

const exits = { both: 0, none: 3, busy: 75 } as const;

/**
 * Arguments: seconds, fcntl's command (0: none). What fcntl gets is a struct flock: 1 to lock for writing, 2 to
 * unlock, from the start, to the end. Out of time, what was had is given back.
 * Exit code: 1 without fcntl's, 2 without flock's, 3 without either, 75 out of time.
 */
const script = `
my ($seconds, $command) = @ARGV;
sub whole { pack 's s x![q] q q l x![q]', $_[0], 0, 0, 0, 0 }
$SIG{ALRM} = sub {
  fcntl STDIN, $command, whole(2) if $command;
  flock STDIN, 8;
  exit ${exits.busy};
};
alarm $seconds;
my $fcntl = $command && fcntl STDIN, $command, whole(1);
my $flock = flock STDIN, 2;
exit +($fcntl ? 0 : 1) + ($flock ? 0 : 2);
`;

type Tool = (seconds: number) => Pick<Command, 'file' | 'args'>;

const tools: readonly Tool[] = [
  (seconds) => ({ file: 'perl', args: ['-e', script, `${seconds}`, `${setLockAndWait}`] }),
  (seconds) => ({ file: 'flock', args: ['-x', '-w', `${seconds}`, '-E', `${exits.busy}`, '0'] }),
];

export function kernelLock(processes: Processes): KernelLock {
  /** The first tool that this machine has; past the end: none. */
  let tool = 0;

  return async (fd, waitMs, owner) => {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    for (; tool < tools.length; tool += 1) {
      try {
        const ended = await processes.run({
          ...tools[tool]!(seconds),
          cwd: '/',
          env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
          stdin: fd,
          timeoutMs: (seconds + 10) * 1000,
          maxOutputBytes: 0,
          ...owner,
        });
        return meaning(ended.how === 'exit' ? ended.code : exits.none);
      } catch (cause) {
        if (errnoOf(cause) !== 'ENOENT') return 'impossible';
      }
    }
    return 'impossible';
  };
}

/** One of the two locks is better than none: the file system may know only one sort. */
function meaning(code: number): LockAnswer {
  if (code === exits.busy) return 'busy';
  return code < exits.none ? 'locked' : 'impossible';
}
