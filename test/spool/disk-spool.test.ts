import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { noStream } from '../../src/log/ports.ts';
import type { StagedBody } from '../../src/spool/ports.ts';
import { spoolContract } from '../contracts/spool.ts';
import { Child, logChildWords, works } from '../support/children.ts';
import { changeByte } from '../support/file-bytes.ts';
import { newId, notedAll } from '../support/log-events.ts';
import { openAt, type Opened } from '../support/sqlite-log.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let opened: Opened;
const commit = async (staged: StagedBody): Promise<void> => {
  await opened.log.append(`message-${staged.ref.id}`, noStream, notedAll('accepted'), staged);
};

spoolContract('the spool on disk', async () => {
  dir = tempDir();
  opened = openAt(dir);
  return {
    spool: opened.spool,
    commit,
    damage: async ({ id, bytes }) => {
      if (bytes > 65_536) return changeByte(dir.file(`spool/bodies/${id}`), 50);
      const db = new DatabaseSync(dir.file('log.db'));
      const swap = "substr(content, 1, 50) || x'00' || substr(content, 52)";
      db.exec(`UPDATE body SET content = CAST(${swap} AS BLOB)`);
      db.close();
    },
    close: async () => {
      await opened.log.close();
      dir.remove();
    },
  };
});

describe('bodies on disk', () => {
  const large = Buffer.alloc(100_000, 'x');
  const incoming = () => readdirSync(dir.file('spool/incoming'));
  const bodies = () => readdirSync(dir.file('spool/bodies'));

  beforeEach(() => {
    dir = tempDir();
    opened = openAt(dir);
  });
  afterEach(async () => {
    await opened.log.close();
    dir.remove();
  });

  it('lie in a file each when they are large, and in the log when they are small', async () => {
    const big = await opened.spool.stage(newId(), large);
    const small = await opened.spool.stage(newId(), Buffer.from('small'));
    await commit(big);
    await commit(small);
    expect(bodies()).toEqual([big.ref.id]);
    expect(incoming()).toEqual([]);
    expect(opened.log.readBody(`message-${big.ref.id}`)).toBeUndefined();
    expect(Buffer.from(opened.log.readBody(`message-${small.ref.id}`)!).toString()).toBe('small');
  });

  it("are nobody else's to read", async () => {
    const { ref } = await opened.spool.stage(newId(), large);
    expect(statSync(dir.file(`spool/bodies/${ref.id}`)).mode & 0o777).toBe(0o600);
    expect(statSync(dir.file('spool/bodies')).mode & 0o777).toBe(0o700);
    expect(statSync(dir.file('spool/incoming')).mode & 0o777).toBe(0o700);
  });

  it('stand aside until they are staged, and are gone when abandoned', async () => {
    const writer = await opened.spool.open(newId());
    await writer.write(large);
    expect(incoming()).toHaveLength(1);
    expect(bodies()).toEqual([]);
    await writer.abandon();
    expect(incoming()).toEqual([]);
    await expect(writer.write(large)).rejects.toMatchObject({ code: 'log-unavailable' });
    await expect(writer.stage()).rejects.toMatchObject({ code: 'log-unavailable' });
    expect(bodies()).toEqual([]);
  });

  it('that were cut short are damaged, in whole and in the part that is missing', async () => {
    const { ref } = await opened.spool.stage(newId(), large);
    truncateSync(dir.file(`spool/bodies/${ref.id}`), 60_000);
    await expect(opened.spool.read(ref)).rejects.toMatchObject({ code: 'body-damaged' });
    await expect(opened.spool.read(ref, 50_000, 20_000)).rejects.toMatchObject({
      code: 'body-damaged',
    });
    expect((await opened.spool.read(ref, 0, 60_000)).byteLength).toBe(60_000);
  });

  it('that the log can no longer read are damaged', async () => {
    const staged = await opened.spool.stage(newId(), Buffer.alloc(60_000, 'wiped'));
    await commit(staged);
    await opened.log.close();
    const file = dir.file('log.db');
    const bytes = readFileSync(file);
    // A long body fills pages of its own; their first four bytes point to the next.
    const place = bytes.indexOf('wipedwipedwiped'.repeat(300));
    const page = place - (place % 8192);
    bytes.writeUInt32BE(0x7fff_ffff, page);
    writeFileSync(file, bytes);
    opened = openAt(dir);
    await expect(opened.spool.read(staged.ref)).rejects.toMatchObject({ code: 'body-damaged' });
  });

  it('that cannot be read just now are not called missing', async () => {
    const ref = { id: newId(), bytes: 100_000, sha256: '' };
    // Opening a directory works, reading from it does not: EISDIR.
    mkdirSync(dir.file(`spool/bodies/${ref.id}`));
    await expect(opened.spool.read(ref)).rejects.toMatchObject({ code: 'log-unavailable' });
  });

  const mounts = works('unshare', '-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp');
  (mounts ? it : it.skip)('are refused with the reason when the disk is full', async () => {
    const small = new Child([
      'unshare',
      '-rm',
      'sh',
      '-c',
      'mount -t tmpfs -o size=400k tmpfs "$0" && exec "$@"',
      dir.path,
      ...logChildWords('overfill', dir.path),
    ]);
    expect([await small.end(), small.errors]).toEqual([0, '']);
    expect(small.lines).toEqual(['refused spool-full', 'left 0', 'staged']);
  });

  describe('that no letter needs', () => {
    const day = 86_400_000;
    const now = Date.UTC(2026, 5, 1);
    const put = (folder: 'incoming' | 'bodies', ageMs: number, id = newId()) => {
      const path = join(dir.file('spool'), folder, id);
      writeFileSync(path, 'x');
      utimesSync(path, (now - ageMs) / 1_000, (now - ageMs) / 1_000);
      return id;
    };

    it('are swept when they are older than a day, and others are left', async () => {
      put('incoming', day + 1_000);
      const young = put('incoming', day - 1_000);
      put('bodies', 30 * day);
      const needed = put('bodies', 30 * day);
      const fresh = put('bodies', 1_000);
      expect(await opened.spool.sweep(now, (id) => id === needed)).toBe(2);
      expect(incoming()).toEqual([young]);
      expect(bodies().sort()).toEqual([needed, fresh].sort());
      expect(await opened.spool.sweep(now, (id) => id === needed)).toBe(0);
    });

    it('are swept at the age that is asked for', async () => {
      put('bodies', 5_001);
      const young = put('bodies', 4_999);
      expect(await opened.spool.sweep(now, () => false, 5_000)).toBe(1);
      expect(bodies()).toEqual([young]);
    });

    it('are never swept when they come from the future', async () => {
      const future = put('bodies', -30 * day);
      expect(await opened.spool.sweep(now, () => false)).toBe(0);
      expect(bodies()).toEqual([future]);
    });
  });
});

describe('a large body', () => {
  const traces = works('strace', '-f', '-o', '/dev/null', 'true');
  (traces ? it : it.skip)(
    'is synced, renamed and its folder synced before it counts as staged',
    async () => {
      dir = tempDir();
      const trace = dir.file('trace');
      const calls = 'trace=fsync,fdatasync,rename,renameat,renameat2,write';
      const child = new Child([
        'strace',
        '-f',
        '-y',
        '-s',
        '16',
        '-e',
        calls,
        '-o',
        trace,
        ...logChildWords('stage', dir.path),
      ]);
      expect(await child.end()).toBe(0);
      const order = milestones(readFileSync(trace, 'utf8'));
      dir.remove();
      const body = order.slice(order.indexOf('say begin'));
      expect(body.slice(0, body.indexOf('say cleaned') + 1)).toEqual([
        'say begin',
        'sync incoming',
        'rename incoming to bodies',
        'sync bodies',
        'say staged',
        'sync log',
        // The write-ahead log's own name, once per start.
        'sync directory',
        'say appended',
        // Giving back room needs no sync of its own, and takes none from the next append.
        'say removed',
        'sync log',
        'say cleaned',
      ]);
      // The folders' own names, and the log's, were synced when they were made.
      expect(order.slice(0, order.indexOf('say begin'))).toEqual(
        expect.arrayContaining(['sync spool', 'sync directory', 'sync log']),
      );
    },
  );

  /** What matters of a trace, each at the moment it was done. */
  function milestones(trace: string): string[] {
    // Calls that other threads interrupt are split in two lines; the answer stands in the second.
    const begun = new Map<string, string>();
    return trace.split('\n').flatMap((line) => {
      const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
      if (call.endsWith('<unfinished ...>')) {
        begun.set(thread, call);
        return [];
      }
      const whole = call.startsWith('<...') ? `${begun.get(thread)} ${call}` : call;
      return milestone(whole) ?? [];
    });
  }

  function milestone(call: string): string | undefined {
    const said = /^write\(1<[^>]*>, "(\w+)\\n"/.exec(call);
    if (said !== null) return `say ${said[1]}`;
    if (/^rename/.test(call)) {
      return call.replace(/^.*\/spool\/(\w+)\/.*\/spool\/(\w+)\/.*$/s, 'rename $1 to $2');
    }
    const synced = /^f(?:data)?sync\(\d+<([^>]*)>/.exec(call)?.[1];
    if (synced === undefined) return undefined;
    if (synced.includes('/spool/incoming/')) return 'sync incoming';
    if (synced.endsWith('/spool/bodies')) return 'sync bodies';
    if (synced.endsWith('/spool')) return 'sync spool';
    if (synced === dir.path) return 'sync directory';
    return synced.endsWith('log.db-wal') ? 'sync log' : undefined;
  }
});
