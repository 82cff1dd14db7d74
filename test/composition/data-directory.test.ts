/** Needs root, which alone gives files away; skips without. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { makeDataDirectory } from '../../src/composition/roles/begin.ts';
import { ownDataDirectory } from '../../src/composition/roles/data-directory.ts';
import { closedTo } from '../../src/composition/roles/reach.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

const withRoot = process.getuid?.() === 0 ? describe : describe.skip;

const queue = { name: 'queue', uid: 43_001, gid: 43_002 };
const users = { queue, door: { ...queue, uid: 43_003 }, remote: { ...queue, uid: 43_004 } };
const other = 43_009;

let dir: TempDir;
let data: string;
beforeEach(() => {
  dir = tempDir();
  data = dir.file('data');
});
afterEach(() => dir.remove());

const own = () => ownDataDirectory(data, users);
const at = (path: string) => `${data}/${path}`;
/** `uid:gid mode` */
const state = (path: string): string => {
  const { uid, gid, mode } = statSync(at(path));
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
};

/** As an engine leaves one that ran as `uid`. */
function used(uid: number): void {
  for (const path of ['log', 'spool/bodies', 'spool/incoming', 'checkpoints', 'run', 'mail/joe']) {
    mkdirSync(at(path), { recursive: true, mode: 0o700 });
  }
  for (const path of ['log/waybill.db', 'log/waybill.db-wal', 'checkpoints/agenda', 'mail/joe/x']) {
    writeFileSync(at(path), 'x', { mode: 0o600 });
  }
  writeFileSync(at('spool/bodies/0198c0de-0000-7000-8000-000000000001'), 'x');
  for (const path of ['', 'log', 'spool', 'checkpoints', 'run', 'mail', 'mail/joe', 'mail/joe/x']) {
    chownSync(at(path), uid, uid);
  }
}

withRoot('a data directory that root makes ready', () => {
  it('is made with a folder for each role', () => {
    expect(own()).toEqual([]);
    expect(state('')).toBe('0:0 711');
    for (const path of ['log', 'spool', 'spool/bodies', 'spool/incoming', 'checkpoints']) {
      expect([path, state(path)]).toEqual([path, '43001:43002 700']);
    }
    expect(state('run')).toBe('43001:43002 711');
    expect(state('bin')).toBe('0:0 755');
    expect(state('scratch')).toBe('0:0 700');
    expect(own()).toEqual([]);
  });

  it.each([
    ['root', 0],
    ['another user', other],
  ])('is taken over from %s, homes excepted', (_, uid) => {
    used(uid);
    const taken = own();
    expect(taken).toEqual(expect.arrayContaining(['log', 'spool', 'spool/bodies', 'checkpoints']));
    expect(state('')).toMatch(/^0:0 7[15][15]$/);
    expect(state('log/waybill.db')).toBe('43001:43002 600');
    expect(state('log/waybill.db-wal')).toBe('43001:43002 600');
    expect(state('checkpoints/agenda')).toBe('43001:43002 600');
    expect(state('spool/bodies/0198c0de-0000-7000-8000-000000000001')).toMatch(/^43001:43002/);
    expect(state('mail')).toMatch(/^0:0/);
    expect(state('mail/joe')).toBe(`${uid}:${uid} 700`);
    expect(state('mail/joe/x')).toBe(`${uid}:${uid} 600`);
    expect(own()).toEqual([]);
  });

  it('gets single files back that root’s hand left in it', () => {
    own();
    writeFileSync(at('log/waybill.db.lock'), '');
    expect(own()).toEqual(['log']);
    expect(state('log/waybill.db.lock')).toMatch(/^43001:43002/);
  });

  it('is refused when it is not ours alone, and left as it was', () => {
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(at('.bashrc'), '');
    expect(own).toThrow(/data is not Waybill's alone \(there is ".bashrc" in it\)/);
    expect(state('')).toBe('0:0 700');
    expect(readdirSync(data)).toEqual(['.bashrc']);
  });

  it('may hold other things when nothing of it has to change', () => {
    mkdirSync(data);
    chmodSync(data, 0o755);
    writeFileSync(at('README'), '');
    own();
    expect(state('README')).toMatch(/^0:0/);
  });

  it('is refused when a folder holds what is not ours, as /var/log would', () => {
    mkdirSync(at('log'), { recursive: true });
    chmodSync(data, 0o755);
    writeFileSync(at('log/syslog'), '');
    expect(own).toThrow(/log holds what is not Waybill's \("syslog"\)/);
    expect(state('log/syslog')).toMatch(/^0:0/);
    expect(state('log')).toMatch(/^0:0/);
  });

  it('does not give away a file that has another name elsewhere', () => {
    used(other);
    const secret = dir.file('secret');
    writeFileSync(secret, 'root only', { mode: 0o600 });
    linkSync(secret, at('log/waybill.db.lock'));
    expect(own).toThrow(/waybill\.db\.lock has other names/);
    expect(statSync(secret).uid).toBe(0);
  });

  it('does not follow the links of others, to files or to folders', () => {
    used(other);
    const secret = dir.file('secret');
    writeFileSync(secret, 'root only', { mode: 0o600 });
    symlinkSync(secret, at('log/waybill.db.lock'));
    own();
    expect(statSync(secret).uid).toBe(0);

    const elsewhere = dir.file('elsewhere');
    mkdirSync(elsewhere);
    rmSync(at('run'), { recursive: true });
    symlinkSync(elsewhere, at('run'));
    lchownSync(at('run'), other, other);
    expect(own).toThrow(/run is a link that uid 43009 made/);
    expect(statSync(elsewhere).uid).toBe(0);
  });

  it('may have its log on another disk, behind root’s own link', () => {
    const disk = dir.file('disk');
    mkdirSync(disk);
    mkdirSync(data);
    symlinkSync(disk, at('log'));
    own();
    expect(statSync(disk)).toMatchObject({ uid: queue.uid, gid: queue.gid });
  });
});

withRoot('the way to a data directory', () => {
  it('is closed at the first directory that the account cannot enter', () => {
    const far = dir.file('a/b/data');
    mkdirSync(far, { recursive: true });
    chmodSync(dir.path, 0o711);
    expect(closedTo(queue, far)).toBeUndefined();
    chmodSync(dir.file('a/b'), 0o700);
    expect(closedTo(queue, far)).toBe(dir.file('a/b'));
    chownSync(dir.file('a/b'), queue.uid, 0);
    expect(closedTo(queue, far)).toBeUndefined();
    chmodSync(dir.path, 0o700);
    expect(closedTo(queue, far)).toBe(dir.path);
    // What does not exist yet is made with what it takes.
    expect(closedTo(queue, dir.file('not/yet'))).toBe(dir.path);
    expect(process.geteuid!()).toBe(0);
  });
});

describe('a data directory that cannot be made', () => {
  it('is named, with what stands in its way', () => {
    writeFileSync(data, '');
    expect(() => makeDataDirectory({ dataDir: data }, 0o700)).toThrow(
      `the data directory ${data} cannot be made: file already exists (see --data)`,
    );
  });
});
