/**
 * The same mail through two real engines with different virtualdomains and smtproutes: what the log of the first says
 * the second would do is what the second does. And what both can say of why.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { QueueEvent } from '../../src/queue/events.ts';
import { jsonLines } from '../cli/run.ts';
import { makeEngine, type Engine } from '../support/engine.ts';
import { dial, handIn, idIn } from '../support/smtp-talk.ts';

const rcpthosts = 'demo.test\nshop.test\nkiosk.test\n';
const before = {
  rcpthosts,
  virtualdomains: 'shop.test:demo-shop\n',
  smtproutes: 'far.test:127.0.0.1:1\nother.test:127.0.0.1:1\nkiosk.test:127.0.0.1:1\n',
};
const after = {
  rcpthosts,
  virtualdomains: 'shop.test:demo-shop\nkiosk.test:ali\n',
  smtproutes: 'far.test:127.0.0.1:2\nother.test:127.0.0.1:1\nkiosk.test:127.0.0.1:1\n',
};
const mail = [
  ['joe@far.test', 'eve@other.test'],
  ['demo@demo.test'],
  ['x@kiosk.test', 'joe@far.test'],
  ['eve@other.test'],
];

let first: Engine;
let second: Engine;
let ids: readonly string[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([
    makeEngine({ control: before }),
    makeEngine({ control: after, files }),
  ]);
  await Promise.all([first.start(), second.start()]);
  const all = await Promise.all([post(first), post(second)]);
  ids = all[0];
  const client = await dial(first.port);
  await client.expect('220');
  await client.ask('EHLO x', '250');
  await client.ask('MAIL FROM:<a@b.test>', '250');
  await client.ask('RCPT TO:<nobody-at-all@demo.test>', '550');
  client.close();
  await Promise.all([first.stop(), second.stop()]);
});
afterAll(() => Promise.all([first.remove(), second.remove()]));

/** Somebody is at home, and nothing is done with the letter. */
const files = { 'alias/.qmail-ali-default': '# taken, and thrown away\n' };

async function post({ port }: Engine): Promise<readonly string[]> {
  const taken: string[] = [];
  for (const to of mail) {
    taken.push(idIn(await handIn(port, { from: 'joe@demo.test', to, body: 'Subject: x\r\n\r\n' })));
  }
  return taken;
}

type Queued = RecordedEvent & Extract<QueueEvent, { type: 'MessageQueued' }>;

/** Where each recipient of each letter was sent, by the log. */
async function waysOf(engine: Engine): Promise<readonly string[]> {
  const { stdout } = await engine.waybill('log', '--type', 'MessageQueued', '--json');
  const queued = jsonLines(stdout) as unknown as Queued[];
  return queued.flatMap(({ data }, n) =>
    data.routes.map((way, rcpt) => `${n}/${rcpt} ${way.address} ${JSON.stringify(way.hop)}`),
  );
}

describe('what-if', () => {
  it('names exactly the letters that the second engine sends elsewhere, and where to', async () => {
    const [then, instead] = [await waysOf(first), await waysOf(second)];
    const moved = then.flatMap((way, index) => (way === instead[index] ? [] : [instead[index]!]));
    const args = ['--config', second.configDir, '--json'];
    const { stdout, code } = await first.waybill('what-if', ...args);
    expect(code).toBe(0);
    const told = jsonLines(stdout);
    const elsewhere = told.flatMap(({ kind, message, recipient, wouldBe }) => {
      if (kind !== 'route') return [];
      const { route } = wouldBe as { route: Queued['data']['routes'][number] };
      const letter = ids.indexOf(message as string);
      return [`${letter}/${String(recipient)} ${route.address} ${JSON.stringify(route.hop)}`];
    });
    expect(elsewhere).toEqual(moved);
    expect(moved).toHaveLength(3);
    expect(told.at(-1)).toMatchObject({
      summary: { letters: 4, recipients: 6, refusals: 1, differing: { letters: 2, route: 3 } },
    });
  });

  it('says it in words, with both lines, and by its exit code if asked', async () => {
    const args = ['what-if', '--config', second.configDir];
    const { stdout, code } = await first.waybill(...args, '--exit-code');
    expect(code).toBe(100);
    expect(stdout).toContain('2 letters and 0 refusals differ.');
    expect(stdout).toContain('control/smtproutes:1: far.test:127.0.0.1:1');
    expect(stdout).toContain('control/virtualdomains:2: kiosk.test:ali');
    const same = await first.waybill('what-if', '--config', first.configDir, '--exit-code');
    expect(same).toMatchObject({ code: 0 });
    expect(same.stdout).toContain('nothing differs.');
  });
});

describe('why', () => {
  it('tells the whole chain of a delivered letter: door, lines, user, file', async () => {
    const { stdout } = await first.waybill('why', ids[1]!);
    for (const part of [
      'by the door smtp from [127.0.0.1:',
      'control/tcp.smtp:1: ',
      'control/locals:1: demo.test',
      'Its user was found by users/assign:1 =demo.',
      'default delivery line 1: maildir ./Maildir/',
    ])
      expect(stdout).toContain(part);
  });

  it('tells it as it was before the first attempt, too', async () => {
    const { stdout } = await first.waybill('log', '--type', 'MessageQueued', '--json');
    const { position } = jsonLines(stdout)[0] as { position: number };
    const then = await first.waybill('why', '--json', `${ids[0]}/0`, '--at', String(position));
    expect(jsonLines(then.stdout)).toMatchObject([{ status: 'waiting', attempts: 0 }]);
    const now = await first.waybill('why', '--json', `${ids[0]}/0`);
    expect(jsonLines(now.stdout)[0]).toMatchObject({
      ...{ status: 'waiting', attempts: 1 },
      last: { reached: { inVain: ['127.0.0.1:1 unreachable'] } },
    });
  });

  it('answers for what a door refused, and says so when there is nothing', async () => {
    const refused = await first.waybill('why', 'nobody-at-all@demo.test');
    expect(refused.stdout).toContain('because nobody here has that address');
    expect(await first.waybill('why', 'joe@nowhere.test')).toMatchObject({ code: 100 });
  });
});
