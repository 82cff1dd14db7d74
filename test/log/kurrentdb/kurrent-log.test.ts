import { describe, it } from '@jest/globals';
import { eventLogContract } from '../../contracts/event-log.ts';
import { openLogAt, realPatience, realServer, realTimeLimit } from '../../support/kurrent/open.ts';
import { startAmongOthers } from '../../support/kurrent/among-others.ts';

const abilities = { reopens: true, carriesBodies: false, isFar: true };

/** Nobody else may write to Waybill's streams meanwhile: some tests compare all that is written with what they wrote. */
const openAt =
  (url: string, parts = {}) =>
  async () => {
    let { log } = openLogAt(url, parts);
    return {
      log,
      reopen: async () => {
        await log.close();
        ({ log } = openLogAt(url, parts));
        return { log };
      },
      close: () => log.close(),
    };
  };

eventLogContract(
  'the log in KurrentDB (stand-in)',
  async () => {
    const server = await startAmongOthers();
    const open = await openAt(server.url('&tlsVerifyCert=false'))();
    return { ...open, close: () => open.close().then(() => server.stop()) };
  },
  abilities,
);

if (realServer === undefined) {
  describe('the log in a real KurrentDB', () => {
    it.skip('WAYBILL_KURRENT_URL names no server: not tried', () => undefined);
  });
} else {
  eventLogContract('the log in a real KurrentDB', openAt(realServer, realPatience), {
    ...abilities,
    timeLimitMs: realTimeLimit,
  });
}
