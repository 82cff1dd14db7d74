/** What an attempt leaves on record of how it found its far side. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { mostReached } from '../../../src/mail/reached.ts';
import { openTrail, withTrail } from '../../../src/delivery/remote/trail.ts';
import { isReport } from '../../../src/composition/links/report-shape.ts';
import type { FarSide } from '../../support/smtp-script.ts';
import { smtpScript } from '../../support/smtp-script.ts';
import { orderFor, station, takesFor, type World } from './station.ts';

const takes = takesFor('joe@two.test', 'eve@two.test');
const two = orderFor(['joe@two.test', 'eve@two.test'], { hop: { host: 'two.test' } });

const open: FarSide[] = [];
const stations: ReturnType<typeof station>[] = [];
function at(world: World) {
  const here = station(world);
  stations.push(here);
  return here;
}
afterEach(async () => {
  for (const { channel } of stations.splice(0)) channel.close();
  await Promise.all(open.splice(0).map((far) => far.close()));
});

const dns = [
  { asked: 'MX', name: 'two.test', found: ['10 mx.b.test', '20 mx2.b.test'] },
  { asked: 'address', name: 'mx.b.test', found: ['192.0.2.1'] },
  { asked: 'address', name: 'mx2.b.test', found: ['192.0.2.2'] },
];

describe('the record of how a far side was found', () => {
  it('has what DNS said and who did not answer, on the first recipient only', async () => {
    const far = await smtpScript(takes);
    open.push(far);
    const here = at({ '192.0.2.1': 'timeout', '192.0.2.2': far });
    const outcomes = await here.deliver(two);
    expect(outcomes.map(({ reached }) => reached)).toEqual([
      { dns, inVain: ['192.0.2.1:25 timed-out'] },
      undefined,
    ]);
    expect(isReport({ outcomes })).toBe(true);
  });

  it('names addresses that were passed by, and until when', async () => {
    const here = at({});
    const silentSince = here.clock.now();
    for (const address of ['192.0.2.1', '192.0.2.2'])
      here.tcpto.set(address, { count: 2, at: here.clock.steady() });
    const [outcome] = await here.deliver(two);
    expect(outcome?.reached?.passedBy).toEqual(
      ['192.0.2.1', '192.0.2.2'].map((address) => ({
        address,
        untilAt: silentSince + 60 * 64_000,
      })),
    );
  });

  it('says of a connection that was open that nobody was asked', async () => {
    const again = takes.slice(takes.indexOf('C: MAIL'));
    const far = await smtpScript(`${takes}\n  ${again}`);
    open.push(far);
    const here = at({ '192.0.2.1': far });
    await here.deliver(two);
    expect((await here.deliver(two))[0]?.reached).toEqual({ open: true });
  });

  it('is empty where an address was given and answered', async () => {
    const far = await smtpScript(takes);
    open.push(far);
    const relay = { host: '192.0.2.1', port: 25 };
    const [outcome] = await at({ '192.0.2.1': far }).deliver({ ...two, hop: { host: 'x', relay } });
    expect(outcome).toMatchObject({ kind: 'delivered' });
    expect(outcome?.reached).toBeUndefined();
  });

  it('keeps its size, whatever a domain lists, and takes no more from the link either', async () => {
    const values = Array.from({ length: 300 }, (_, n) => `192.0.2.${n}`);
    const trail = openTrail({
      mx: async () => ({ kind: 'temporary', reason: 'ETIMEOUT' }),
      addresses: async () => ({ kind: 'found', values }),
    });
    await trail.dns.mx('b.test');
    for (let n = 0; n < 100; n += 1) {
      await trail.dns.addresses(`h${n}.b.test`);
      trail.inVain({ host: 'h', address: '::1', port: 25 }, 'unreachable');
    }
    const reached = trail.all();
    expect(reached?.dns).toHaveLength(mostReached.questions);
    expect(reached?.dns?.[0]).toEqual({ asked: 'MX', name: 'b.test' });
    expect(reached?.dns?.[1]).toMatchObject({ more: 300 - mostReached.answers });
    expect(reached?.inVain?.[0]).toBe('[::1]:25 unreachable');
    const outcome = { rcpt: 0, kind: 'deferred' as const, reply: { text: '' } };
    const outcomes = withTrail({ outcomes: [outcome], left: [] }, reached);
    expect(isReport({ outcomes })).toBe(true);
    const flood = { ...reached, inVain: values };
    expect(isReport({ outcomes: [{ ...outcome, reached: flood }] })).toBe(false);
  });
});
