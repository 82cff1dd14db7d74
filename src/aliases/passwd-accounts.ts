/**
 * The machine's accounts: `/etc/passwd` first, then whoever else the machine asks. The file is read again
 * when it has changed. A machine whose `nsswitch.conf` names nothing but files is not asked further, so
 * that a stranger who tries names costs nobody a process.
 */
import { readFileSync, statSync } from 'node:fs';
import { errnoOf } from '../platform/errno.ts';
import { withHomeOwner, type Account, type Accounts } from './accounts.ts';

export type PasswdFiles = { readonly passwd: string; readonly nsswitch: string };

const machine: PasswdFiles = { passwd: '/etc/passwd', nsswitch: '/etc/nsswitch.conf' };

type Entry = Omit<Account, 'homeOwner'>;

/** `others` are asked for names that the file does not have. */
export function passwdAccounts(others: Accounts, files: PasswdFiles = machine): Accounts {
  const entries = latest(files.passwd, entriesIn);
  const onlyFiles = latest(files.nsswitch, saysOnlyFiles);
  return {
    async lookUp(name) {
      let entry: Entry | undefined;
      try {
        entry = entries().get(name);
        if (entry === undefined && onlyFiles()) return 'none';
      } catch {
        return 'temporary';
      }
      return entry === undefined ? others.lookUp(name) : withHomeOwner(entry);
    },
  };
}

/** passwd(5): name:password:uid:gid:comment:home:shell. The first line of a name counts. */
function entriesIn(text: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of text.split('\n')) {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
    if (name === '' || !/^\d+$/.test(uid) || !/^\d+$/.test(gid) || entries.has(name)) continue;
    entries.set(name, { uid: Number(uid), gid: Number(gid), home });
  }
  return entries;
}

/** nsswitch.conf(5). Without the file or the line, libraries ask the files. */
const saysOnlyFiles = (text: string): boolean =>
  (/^passwd:([^#\n]*)/m.exec(text)?.[1] ?? 'files').trim() === 'files';

/** What a file means, as it is now. A missing one is an empty one. Throws what else the system says. */
function latest<T>(path: string, parse: (text: string) => T): () => T {
  let known: { readonly version: string; readonly value: T } | undefined;
  return () => {
    const version = versionOf(path);
    if (known?.version !== version) {
      known = { version, value: parse(version === '' ? '' : readFileSync(path, 'utf8')) };
    }
    return known.value;
  };
}

function versionOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return '';
    throw cause;
  }
}
