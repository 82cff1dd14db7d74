/** The page of a real engine: its own process, the kernel's word, the queue's socket. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTransport } from 'nodemailer';
import { freePort, makeEngine, type Engine } from '../support/engine.ts';
import { until } from '../support/until.ts';

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
}, 40_000);
afterAll(async () => engine.remove());

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
