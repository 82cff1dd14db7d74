/** Which addresses an attempt goes to, one after the other, and whose words it reports. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { FarSide } from '../../support/smtp-script.ts';
import { smtpScript } from '../../support/smtp-script.ts';
import type { World } from './station.ts';
import { orderFor, spoken, station, takesFor } from './station.ts';

const takes = takesFor('joe@two.test');
const refuses = takes.replace(/S: 250 ok[\s\S]*/, 'S: 550 no');
const unconnected = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";
const accepted = 'K192.0.2.2 accepted message.\nRemote host said: 250 k\n';
const two = orderFor(['joe@two.test'], { hop: { host: 'two.test' } });

const open: FarSide[] = [];
const stations: ReturnType<typeof station>[] = [];
async function speaks(...scripts: readonly string[]): Promise<FarSide> {
  const far = await smtpScript(...scripts);
  open.push(far);
  return far;
}
function at(world: World, over = {}) {
  const here = station(world, over);
  stations.push(here);
  return here;
}
afterEach(async () => {
  for (const { channel } of stations.splice(0)) channel.close();
  const sides = open.splice(0);
  await Promise.all(sides.map((far) => far.close()));
  expect(sides.flatMap(({ mistakes }) => mistakes)).toEqual([]);
});

describe('the next exchanger', () => {
  it.each([
    ['is tried when the first refuses the connection', 'refused'],
    ['is tried when the first does not answer', 'timeout'],
  ] as const)('%s', async (_, first) => {
    const here = at({ '192.0.2.1': first, '192.0.2.2': await speaks(takes) });
    expect((await here.deliver(two)).map(spoken)).toEqual([accepted]);
    expect(here.dialled).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  it.each([
    ['is tried when the first is busy', 'S: 421 busy'],
    ['is tried when the first drops the connection', 'drop'],
    [
      'is tried when the first drops the connection upon MAIL',
      takes.replace(/S: 250 ok[\s\S]*/, 'drop'),
    ],
    ['is tried when the first drops the connection upon EHLO', 'S: 220 x\nC: EHLO me.test\ndrop'],
  ])('%s', async (_, first) => {
    const here = at({ '192.0.2.1': await speaks(first), '192.0.2.2': await speaks(takes) });
    expect((await here.deliver(two)).map(spoken)).toEqual([accepted]);
  });

  it.each([
    [
      'is left alone when the first greets with 554',
      'S: 554 no',
      'ZConnected to 192.0.2.1 but greeting failed.\nRemote host said: 554 no\n',
    ],
    [
      'is left alone when the first refuses the sender',
      refuses,
      'DConnected to 192.0.2.1 but sender was rejected.\nRemote host said: 550 no\n',
    ],
    [
      'is left alone when the first puts the sender off',
      refuses.replace('550', '450'),
      'ZConnected to 192.0.2.1 but sender was rejected.\nRemote host said: 450 no\n',
    ],
  ])('%s', async (_, first, report) => {
    const here = at({ '192.0.2.1': await speaks(first) });
    expect((await here.deliver(two)).map(spoken)).toEqual([report]);
    expect(here.dialled).toEqual(['192.0.2.1']);
  });
});

describe('a letter that nobody takes', () => {
  it('waits with the last words that were heard', async () => {
    const here = at({ '192.0.2.1': await speaks('S: 421 busy'), '192.0.2.2': 'refused' });
    expect((await here.deliver(two)).map(spoken)).toEqual([
      'ZConnected to 192.0.2.1 but greeting failed.\nRemote host said: 421 busy\n',
    ]);
  });

  it('waits without words where nobody could be reached', async () => {
    expect((await at({}).deliver(two)).map(spoken)).toEqual([unconnected]);
  });

  it('waits, or fails, with what DNS said', async () => {
    const here = at({});
    const order = orderFor(['joe@gone.test'], { hop: { host: 'gone.test' } });
    expect((await here.deliver(order)).map(spoken)).toEqual([
      "DSorry, I couldn't find any host named gone.test. (#5.1.2)\n",
    ]);
    expect(here.dialled).toEqual([]);
  });

  it('waits when a part of ours breaks', async () => {
    const here = at({});
    const order = orderFor();
    Object.defineProperty(order, 'hop', {
      get: () => {
        throw new Error('broken');
      },
    });
    expect((await here.deliver(order)).map(spoken)).toEqual([
      'ZSorry, something went wrong within the mail system. (#4.3.0)\n',
    ]);
  });
});

describe('an address that keeps silent', () => {
  it('is passed by after two timeouts, until its time is over', async () => {
    const here = at({ '192.0.2.1': 'timeout' });
    const letter = () => here.deliver(orderFor());
    await letter();
    here.clock.advance(120_000);
    await letter();
    here.clock.advance(1);
    expect((await letter()).map(spoken)).toEqual([unconnected]);
    expect(here.dialled).toHaveLength(2);
    here.clock.advance(60 * 64_000);
    await letter();
    expect(here.dialled).toHaveLength(3);
  });

  it('is not counted when it refuses', async () => {
    const here = at({ '192.0.2.1': 'refused' });
    for (let n = 0; n < 3; n += 1) {
      await here.deliver(orderFor());
      here.clock.advance(120_000);
    }
    expect(here.dialled).toHaveLength(3);
    expect(here.tcpto.size).toBe(0);
  });
});

describe('a connection from an address of ours', () => {
  it('is not tried to an address of the other family', async () => {
    const here = at({}, { outgoingIp: '2001:db8::7' });
    expect((await here.deliver(orderFor())).map(spoken)).toEqual([unconnected]);
    expect(here.dialled).toEqual([]);
  });
});

describe('a route', () => {
  it('leads to its host, without MX', async () => {
    const here = at({ '192.0.2.2': await speaks(takes) });
    const order = { ...two, hop: { host: 'two.test', relay: { host: '[192.0.2.2]', port: 587 } } };
    const [outcome] = await here.deliver(order);
    expect(outcome?.reply).toMatchObject({ host: '[192.0.2.2]', port: 587, code: 250 });
    expect(here.dns.asked).toEqual([]);
  });
});
