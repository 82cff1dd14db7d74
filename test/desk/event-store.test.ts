/** PIC: the desk of an engine whose log is in an event store: a process of its own, which the mail does without. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { StandIn } from '../support/kurrent/stand-in.ts';
import { handIn } from '../support/smtp-talk.ts';
import { until } from '../support/until.ts';

let server: StandIn;
let engine: Engine;
let url: string;

beforeAll(async () => {
  server = await new StandIn().start();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  engine = await makeEngine({
    control: { smtproutes: ':127.0.0.1:1\n' },
    env: {
      ...{ WAYBILL_LOG_ENGINE: 'kurrentdb', WAYBILL_LOG_URL: server.url() },
      ...{ WAYBILL_NODES_NAME: 'mail-1', WAYBILL_NODES_BEAT_MS: '500' },
    },
    desk: { port },
  });
  await engine.start();
});
afterAll(async () => {
  await engine.remove();
  await server.stop();
});

const get = async (path: string): Promise<string> => (await fetch(url + path)).text();
const api = async (path: string) => JSON.parse(await get(`/api/v1${path}`)) as never;
const answers = (path: string, words: string) => () =>
  get(path).then(
    (text) => text.includes(words),
    () => false,
  );
const send = async (to: string): Promise<void> =>
  expect(
    await handIn(engine.port, { from: 'a@b.test', to: [to], body: 'Subject: x\r\n\r\n' }),
  ).toMatch(/^250/);

describe('the desk of an engine with its log in an event store', () => {
  it('shows whose a letter is, and gives orders to its queue', async () => {
    await until(answers('/readyz', 'ready'), 'a page that is ready');
    await send('you@far.test');
    type Entry = { readonly message: string; readonly node: string; readonly attempts: number };
    const first = async () => ((await api('/queue')) as { entries: Entry[] }).entries[0];
    await until(async () => (await first())?.attempts === 1, 'the first attempt');
    await until(async () => (await first())!.node === 'mail-1', 'whose it is');
    const { message } = (await first())!;
    expect(await get(`/letters/${message}`)).toMatch(/<h1>\s*<bdi>x<\/bdi>/);
    const held = await fetch(`${url}/api/v1/messages/${message}/hold`, {
      ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
      body: '{"why":"a test of the desk"}',
    });
    expect(await held.json()).toMatchObject({ said: expect.stringContaining('held') });
    const { stdout } = await engine.waybill('search', '--status', 'held');
    expect(stdout).toContain(message);
    const { nodes } = (await api('/nodes')) as { nodes: object[] };
    expect(nodes).toEqual([
      expect.objectContaining({ node: 'mail-1', status: 'open', letters: 1, silent: false }),
    ]);
    const { roles } = (await api('/status')) as { roles: { name: string; state: string }[] };
    expect(roles.map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...['queue up', 'door up', 'local up', 'remote up', 'desk up'],
    ]);
  });

  it('says that the event store is away, shows what it knew, and goes on by itself', async () => {
    await server.stop();
    await until(answers('/', 'The event store does not answer since'), 'the page to say so');
    expect(await get('/')).toMatch(/<a href="\/queue">1<\/a>/);
    expect(await get('/hosts')).toContain('The event store does not answer since');
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    await server.start();
    await until(answers('/readyz', 'ready'), 'the page to be ready again');
    await send('me@far.test');
    await until(answers('/search?recipient=me@far.test', 'me@far.test</bdi>'), 'the new letter');
    // Whatever went wrong meanwhile went wrong in one sentence, and no consumer began anew.
    expect(engine.output()).not.toContain('a consumer failed');
    const kept = readdirSync(join(engine.dataDir, 'views'));
    expect(kept.filter((name) => /^waybill-views-[0-9a-z]+\.db$/.test(name))).toHaveLength(1);
  });
});
