/** "Retry now" to a host that did not answer for hours: it is asked, and not passed by from memory. */
import { afterEach, expect, it } from '@jest/globals';
import { forgetTimeouts, serveTcpto } from '../../src/composition/links/tcpto-link.ts';
import { linkPair } from '../../src/platform/link-memory.ts';
import { orderFor, spoken, station, takesFor } from '../delivery/remote/station.ts';
import { smtpScript, type FarSide } from '../support/smtp-script.ts';

const takes = takesFor('joe@two.test');

let far: FarSide | undefined;
let here: ReturnType<typeof station> | undefined;
afterEach(async () => {
  here?.channel.close();
  await far?.close();
});

it('a host that answers again is reached at once when everything is retried by hand', async () => {
  far = await smtpScript(takes);
  here = station({ '192.0.2.1': far });
  const { tcpto, clock } = here;
  const order = orderFor(['joe@two.test'], { hop: { host: 'two.test' } });
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    tcpto.set(address, { count: 5, at: clock.steady() });
  }
  expect((await here.deliver(order)).map(spoken)).toEqual([
    "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n",
  ]);
  expect(here.dialled).toEqual([]);

  const [queue, remote] = linkPair({}, serveTcpto(tcpto, clock));
  await forgetTimeouts(() => queue)();
  expect((await here.deliver(order)).map(spoken)).toEqual([
    'K192.0.2.1 accepted message.\nRemote host said: 250 k\n',
  ]);
  queue.close();
  remote.close();
});

it('nothing is to be forgotten while nobody delivers to other hosts', async () => {
  await expect(forgetTimeouts(() => undefined)()).resolves.toBeUndefined();
});
