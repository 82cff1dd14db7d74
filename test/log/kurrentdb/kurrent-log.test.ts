import { describe, it } from '@jest/globals';
import { eventLogContract } from '../../contracts/event-log.ts';
import { openLogAt, openStandIn, realServer } from '../../support/kurrent/open.ts';

const abilities = { reopens: true, carriesBodies: false, isFar: true };

/** Nobody else may write to it meanwhile: some tests compare the whole log with what they wrote. */
const openAt = (url: string) => async () => {
  let { log } = openLogAt(url);
  return {
    log,
    reopen: async () => {
      await log.close();
      ({ log } = openLogAt(url));
      return { log };
    },
    close: () => log.close(),
  };
};

eventLogContract(
  'the log in KurrentDB (stand-in)',
  async () => {
    const { server } = await openStandIn();
    const open = await openAt(server.url())();
    return { ...open, close: () => open.close().then(() => server.stop()) };
  },
  abilities,
);

if (realServer === undefined) {
  describe('the log in a real KurrentDB', () => {
    it.skip('WAYBILL_KURRENT_URL names no server: not tried', () => undefined);
  });
} else {
  eventLogContract('the log in a real KurrentDB', openAt(realServer), abilities);
}
