import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openOffice, says, type Office } from '../trace/office.ts';
import { jsonLines, waybill } from './run.ts';

let office: Office;
let ids: { old: string; failed: string; waiting: string };
beforeAll(async () => {
  office = await openOffice(Date.now() - 7_200_000);
  const old = await office.accept(['bob@here.test']);
  await office.attempt(old, [0], [says('delivered', 0, 'did 1+0+0\n')]);
  const failed = await office.accept(['zoe@c.test']);
  await office.attempt(failed, [0], [says('failed', 0, '550 5.1.1 <zoe@c.test>: no such user\n')]);
  const waiting = await office.accept(['ann@b.test', 'eve@c.test']);
  await office.attempt(waiting, [0], [says('deferred', 0, '451 busy, id 4F2B1C9\n')]);
  ids = { old, failed, waiting };
});
afterAll(() => office.remove());

const run = (...args: readonly string[]) => waybill(office.path, ...args);
const found = (...args: readonly string[]) =>
  jsonLines(run('search', '--json', ...args).stdout).map(({ message }) => message);
const database = () => office.dir.file('views/waybill-views.db');

/** The queries of docs/SQL.md, as they stand there. */
const documented = readFileSync(resolve(import.meta.dirname, '../../docs/SQL.md'), 'utf8');
const queries = [...documented.matchAll(/```sql\n([^`]+)```/g)].map(([, sql]) => sql!);
const hasSqlite = spawnSync('sqlite3', ['--version']).status === 0;
if (!hasSqlite) console.warn('test/cli/views: SQL skipped, there is no sqlite3 in PATH');

describe('waybill views', () => {
  it('says where there are none, and search goes through the log then', () => {
    expect(run('views', 'status').stdout).toMatch(/^There are no views/);
    expect(found('--sender', '@here.test')).toEqual([ids.waiting, ids.failed, ids.old]);
    expect(found('--limit', '1')).toEqual([ids.waiting]);
    expect(found('--before', ids.waiting, '--limit', '1')).toEqual([ids.failed]);
  });

  it('computes them from the log, and search then answers the youngest first', () => {
    const { code, stdout } = run('views', 'rebuild');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/waybill-views\.db is new: \d+ events/),
    ]);
    expect(run('views').stdout).toMatch(/3 letters up to .*\nup with the log\n$/);
    expect(found('--sender', '@here.test')).toEqual([ids.waiting, ids.failed, ids.old]);
    expect(found('--sender', '@here.test', '--limit', '1')).toEqual([ids.waiting]);
    expect(found('--before', ids.waiting, '--limit', '1')).toEqual([ids.failed]);
    expect(found('--reply', 'id 4F2B')).toEqual([ids.waiting]);
    expect(found('--domain', 'c.test', '--no-views')).toEqual([ids.waiting, ids.failed]);
    expect(found('--min-size', '1K')).toEqual([]);
  });

  it('tells what the views lack, and says how much that is', async () => {
    const young = await office.accept(['joe@new.test']);
    expect(found('--recipient', '@new.test')).toEqual([young]);
    const { stdout, stderr } = run('search', '--recipient', '@new.test');
    expect(stdout).toContain(young);
    expect(stderr).toMatch(
      /^The views lack what happened since \S+Z; that was read from the log\.$/m,
    );
    expect(run('views', 'status').stdout).toMatch(
      /behind the log: they lack what happened since \S+Z/,
    );
  });

  it('refuses a size or a letter that is none', () => {
    expect(run('search', '--min-size', 'big')).toMatchObject({ code: 100 });
    expect(run('search', '--before', 'ffff')).toMatchObject({ code: 100 });
  });

  it('goes on answering from the old ones until the new ones are ready, and leaves no others', () => {
    const databases = () =>
      readdirSync(office.dir.file('views')).filter((name) => /views-\w+\.db$/.test(name));
    const before = databases();
    expect(run('views', 'rebuild', '--json').code).toBe(0);
    expect([before.length, databases().length]).toEqual([1, 1]);
    expect(databases()).not.toEqual(before);
    expect(run('views', 'status', '--json').stdout).toContain('"letters":4');
  });

  it('passes views of another release over, and computes them again', () => {
    const db = new DatabaseSync(database());
    db.exec("UPDATE meta SET value = 'views 0' WHERE key = 'fingerprint'");
    db.close();
    expect(run('views', 'status').stdout).toMatch(/^There are no views/);
    expect(found('--id', ids.old)).toEqual([ids.old]);
    expect(run('views', 'rebuild').code).toBe(0);
    expect(run('views', 'status').stdout).toContain('4 letters');
  });

  it('may be deleted at any time', () => {
    rmSync(office.dir.file('views'), { recursive: true });
    expect(found('--id', ids.old)).toEqual([ids.old]);
    expect(run('views', 'rebuild').code).toBe(0);
    expect(existsSync(database())).toBe(true);
  });
});

(hasSqlite ? describe : describe.skip)('an analyst with sqlite3', () => {
  const ask = (sql: string) =>
    spawnSync('sqlite3', ['-readonly', '-json', database(), sql], { encoding: 'utf8' });

  it.each(queries.map((sql) => [sql.split('\n')[0]!, sql]))('asks: %s', (_, sql) => {
    expect(ask(sql)).toMatchObject({ status: 0, stderr: '' });
  });

  it('reads letters, recipients, attempts, deferrals and hosts', () => {
    const rows = (sql: string) => JSON.parse(ask(sql).stdout || '[]') as unknown[];
    expect(
      rows(
        'SELECT message, status, sender_domain, recipients FROM messages ORDER BY accepted_at LIMIT 2',
      ),
    ).toEqual([
      { message: ids.old, status: 'delivered', sender_domain: 'here.test', recipients: 1 },
      { message: ids.failed, status: 'failed', sender_domain: 'here.test', recipients: 1 },
    ]);
    expect(
      rows(
        `SELECT address, domain, status, attempts FROM recipients WHERE message = '${ids.waiting}'`,
      ),
    ).toEqual([
      { address: 'ann@b.test', domain: 'b.test', status: 'waiting', attempts: 1 },
      { address: 'eve@c.test', domain: 'c.test', status: 'waiting', attempts: 0 },
    ]);
    expect(rows('SELECT message, ms, reply, reason, host FROM deferrals')).toEqual([
      {
        message: ids.waiting,
        ms: 1500,
        reply: '451 busy, id 4F2B1C9\n',
        reason: '451 busy, id …\n',
        host: 'b.test',
      },
    ]);
    expect(
      rows('SELECT verdict, answered_by, answered_at FROM attempts ORDER BY ended_at LIMIT 1'),
    ).toEqual([{ verdict: 'delivered', answered_by: 'mx.b.test', answered_at: '192.0.2.7' }]);
    expect(rows("SELECT host, failed, last_trouble FROM hosts WHERE host = 'c.test'")).toEqual([
      { host: 'c.test', failed: 1, last_trouble: '550 5.1.1 <zoe@c.test>: no such user\n' },
    ]);
  });

  it('finds every column that is documented', () => {
    for (const [, view, table] of documented.matchAll(/^## (\w+):[^\n]*\n\n((?:\|.*\n)+)/gm)) {
      const columns = [...table!.matchAll(/^\| (`[^|]*`) \|/gm)]
        .flatMap(([, cell]) => cell!.match(/`(\w+)`/g) ?? [])
        .map((name) => name.replaceAll('`', ''));
      expect(columns.length).toBeGreaterThan(3);
      expect(ask(`SELECT ${columns.join(', ')} FROM ${view!} LIMIT 1`)).toMatchObject({
        status: 0,
        stderr: '',
      });
    }
  });
});
