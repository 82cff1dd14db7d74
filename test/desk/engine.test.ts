/** The page of a real engine: its own process, the kernel's word, the queue's socket. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { until } from '../support/until.ts';

const main = join(import.meta.dirname, '../../src/cli/main.ts');

let engine: Engine;
let url: string;

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  engine = await makeEngine({
    control: { smtproutes: ':127.0.0.1:1\n' },
    desk: { port },
  });
  await engine.start();
});
afterAll(async () => engine.remove());

describe('the password of a running desk', () => {
  const set = (text: string): void => {
    const { status } = spawnSync(
      process.execPath,
      [
        ...['--disable-warning=ExperimentalWarning', main, '--config', engine.configDir],
        ...['--data', engine.dataDir, 'desk', 'password', ...(text === '' ? ['--remove'] : [])],
      ],
      { input: `${text}\n`, timeout: 30_000 },
    );
    expect(status).toBe(0);
  };
  const login = (password: string) =>
    fetch(`${url}/login`, {
      ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams({ password }) },
    });
  const queue = (cookie?: string) =>
    fetch(`${url}/api/v1/queue`, { headers: cookie === undefined ? {} : { cookie } });
  /** 0: over a connection that the desk had hung up while `set` kept us from seeing it. */
  const statusNow = (): Promise<number> =>
    queue().then(
      ({ status }) => status,
      () => 0,
    );

  it('counts at once, and ends what the old one had opened', async () => {
    await until(
      () =>
        fetch(`${url}/login`).then(
          () => true,
          () => false,
        ),
      'a page',
    );
    set('correct horse');
    await until(async () => (await statusNow()) === 401, 'the desk to ask for it');
    const entered = await login('correct horse');
    expect(entered.status).toBe(303);
    const cookie = entered.headers.get('set-cookie')!.split(';')[0]!;
    expect((await queue(cookie)).status).toBe(200);
    const stream = await fetch(`${url}/live`, { headers: { cookie } });
    const ended = stream.text().then(
      () => true,
      () => true,
    );
    set('another horse');
    expect(await ended).toBe(true);
    expect((await queue(cookie)).status).toBe(401);
    expect((await login('correct horse')).status).toBe(403);
    expect((await login('another horse')).status).toBe(303);
    set('');
    await until(async () => (await statusNow()) === 200, 'the desk to know its own user again');
  });
});

describe('the desk of a running engine', () => {
  it('shows a letter that waits, and holds it for its user', async () => {
    const ready = () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(ready, 'a page that is ready');
    const client = createTransport({ host: '127.0.0.1', port: engine.port, ignoreTLS: true });
    await client.sendMail({ from: 'demo@demo.test', to: 'you@far.test', text: 'hello' });
    const waiting = async () => {
      const answer = await fetch(`${url}/api/v1/queue`);
      return ((await answer.json()) as { entries: { message: string; attempts: number }[] })
        .entries;
    };
    await until(async () => (await waiting())[0]?.attempts === 1, 'the first attempt');
    const { message } = (await waiting())[0]!;
    expect(await (await fetch(`${url}/letters/${message}`)).text()).toContain('you@far.test');
    const held = await fetch(`${url}/api/v1/messages/${message}/hold`, {
      ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
      body: '{"why":"a test of the desk"}',
    });
    expect(await held.json()).toMatchObject({ said: expect.stringContaining('held') });
    expect((await engine.waybill('why', message)).stdout).toContain('(a test of the desk)');
  });
});
