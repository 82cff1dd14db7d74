import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { openLink } from '../../src/platform/link.ts';
import { openReader } from '../../src/log/sqlite/open-reader.ts';
import { Trouble } from '../../src/mail/trouble.ts';
import { openOffice, says, type Office } from '../trace/office.ts';
import { jsonLines, startWaybill, waybill, type Ran } from './run.ts';

let office: Office;
let id: string;
beforeEach(async () => {
  office = await openOffice(Date.now() - 3_600_000);
  id = await office.accept(['ann@b.test', 'bob@c.test']);
  await office.attempt(id, [0], [says('deferred', 0)]);
});
afterEach(() => office.remove());

async function events() {
  const log = openReader(office.logFile);
  try {
    return (await log.readAll({ limit: 100 })).slice(6);
  } finally {
    log.close();
  }
}

describe("an operator's hand, while no engine runs", () => {
  beforeEach(() => office.close());
  const run = (...args: readonly string[]) => waybill(office.path, ...args);

  it('holds and releases, with who and why on record', async () => {
    expect(run('hold', id, '--why', 'odd', '--by', 'ann')).toMatchObject({
      code: 0,
      stdout: `${id}: held: no attempt is started until it is released\n`,
    });
    expect(run('hold', id).stdout).toBe(`${id}: nothing to do, it is held already\n`);
    expect(run('retry', id).stdout).toBe(
      `${id}: 2 recipients due now, but the letter is held: release it, too\n`,
    );
    expect(run('release', id).stdout).toBe(`${id}: released\n`);
    expect((await events()).map(({ type, data }) => [type, data])).toEqual([
      ['MessageHeld', { by: 'ann', why: 'odd' }],
      ['RetryRequested', { by: userInfo().username, why: '', rcpts: [0, 1] }],
      ['MessageReleased', { by: userInfo().username, why: '' }],
    ]);
  });

  it('touches one recipient by number or address', async () => {
    expect(run('retry', `${id}/ann@b.test`).stdout).toBe(`${id}: 1 recipient due now\n`);
    expect(run('cancel', `${id.slice(-4)}/1`).stdout).toBe(`${id}: 1 recipient cancelled\n`);
    expect(run('redirect', `${id}/0`, 'eve@d.test').stdout).toBe(
      `${id}: goes to <eve@d.test> now\n`,
    );
    expect((await events()).map(({ type }) => type)).toEqual([
      ...['RetryRequested', 'RecipientCancelled', 'RecipientRedirected'],
    ]);
  });

  it('retries everything', async () => {
    expect(run('retry', '--all', '--why', 'link is back').code).toBe(0);
    expect(await events()).toMatchObject([
      { type: 'RetryAllRequested', data: { by: userInfo().username, why: 'link is back' } },
    ]);
    expect(
      jsonLines(run('queue', '--json').stdout).every(
        ({ dueAt }) => Date.parse(dueAt as string) <= Date.now(),
      ),
    ).toBe(true);
  });

  it('goes on with the other letters when one does not exist, and exits 100', () => {
    const { code, stdout, stderr } = run('cancel', 'ffffffff', id, '--json');
    expect(code).toBe(100);
    expect([stderr, jsonLines(stdout)]).toMatchObject([
      '',
      [
        { id: 'ffffffff', error: 'there is no letter ffffffff' },
        { message: id, act: 'cancel', events: 3 },
      ],
    ]);
    expect(run('cancel', id).stdout).toBe(`${id}: nothing to do, the letter is done\n`);
  });

  it.each<[string, readonly string[], string]>([
    ['a retry of nothing', ['retry'], 'name a letter, or --all'],
    ['a retry of everything and something', ['retry', '--all', 'abc'], 'either letters or --all'],
    ['a recipient that is none', ['retry', '@/9'], 'the letter has no recipient 9'],
    ['a hold of one recipient of two', ['hold', '@/0'], 'a letter is held as a whole'],
    [
      'a redirection of nobody in particular',
      ['redirect', '@', 'eve@d.test'],
      'name one of the 2 recipients',
    ],
    ['a redirection to no address', ['redirect', '@/0', 'eve'], 'eve is no address'],
    ['a redirection to two lines', ['redirect', '@/0', 'eve@d.test\nRCPT TO:<x>'], 'is no address'],
  ])('refuses %s', async (_, args, expected) => {
    const { code, stderr } = run(...args.map((arg) => arg.replace(/^@/, id)));
    expect([code, stderr]).toEqual([100, expect.stringContaining(expected)]);
    expect(await events()).toEqual([]);
  });
});

describe("an operator's hand, while an engine runs", () => {
  /** What the engine was asked, at a control socket that stands for it. */
  let asked: unknown[];
  let server: Server;
  beforeEach(async () => {
    asked = [];
    server = createServer((socket) => {
      openLink(socket, {
        hello: () => undefined,
        operate: (args) => {
          asked.push(args);
          if ((args as { why: string }).why === 'fail')
            throw new Trouble('log-full', { tryAgain: true, peer: 'disk full (#4.3.1)' });
          return { value: 1 };
        },
        'retry-all': (args) => {
          asked.push(args);
        },
      });
    });
    const path = office.dir.file('run/control.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    chmodSync(path, 0o600);
  });
  afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  /** The engine of the test answers in this very process, so nothing may block it. */
  const run = (...args: readonly string[]): Promise<Ran> =>
    new Promise((done) => {
      const child = startWaybill(office.path, ...args);
      let stdout = '';
      let stderr = '';
      child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.once('close', (code) => done({ code, stdout, stderr }));
    });

  it('asks the engine, and writes nothing itself', async () => {
    expect(await run('hold', id, '--by', 'ann', '--why', 'odd')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect((await run('redirect', `${id}/bob@c.test`, 'eve@d.test')).code).toBe(0);
    expect((await run('retry', '--all')).code).toBe(0);
    expect(asked).toEqual([
      { act: 'hold', message: id, by: 'ann', why: 'odd' },
      {
        act: 'redirect',
        message: id,
        rcpts: [1],
        to: 'eve@d.test',
        by: userInfo().username,
        why: '',
      },
      { by: userInfo().username, why: '' },
    ]);
    expect(await events()).toEqual([]);
  });

  it("passes the engine's trouble on: exit 111", async () => {
    expect(await run('hold', id, '--why', 'fail')).toMatchObject({
      code: 111,
      stderr: expect.stringContaining('disk full'),
    });
  });
});
