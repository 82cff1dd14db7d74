/** The log on a stand-in of its own, or on the real server that `WAYBILL_KURRENT_URL` names. */
import { Connection } from '../../../src/log/kurrentdb/connection.ts';
import {
  KurrentLog,
  ourPrefixes,
  type KurrentLogOptions,
} from '../../../src/log/kurrentdb/kurrent-log.ts';
import { toAddress } from '../../../src/control/event-store-address.ts';
import { kurrentSpool, type KurrentSpool } from '../../../src/spool/kurrentdb/kurrent-spool.ts';
import { StandIn, type StandInOptions } from './stand-in.ts';

/**
 * A real server, or cluster, for those tests that ask no stand-in to do wrong. A server without TLS asks
 * nobody for a password; one that stands in the address all the same is left out.
 */
export const realServer = withoutUselessLogin(process.env['WAYBILL_KURRENT_URL']);

function withoutUselessLogin(url: string | undefined): string | undefined {
  if (url === undefined || url === '') return undefined;
  return /[?&]tls=false\b/i.test(url) ? url.replace(/\/\/[^@/?]*@/, '//') : url;
}

/** A test's time limit there: disks, elections and long logs take theirs. */
export const realTimeLimit = 120_000;

/** The contract's tests name streams that no part of Waybill does. */
const prefixes = [...ourPrefixes, 'xyzzy'];

export type LogParts = Omit<Partial<KurrentLogOptions>, 'connection'> & {
  readonly onReplaced?: (why: string) => void;
};

export function openLogAt(
  url: string,
  { onReplaced, ...parts }: LogParts = {},
): {
  readonly log: KurrentLog;
  readonly connection: Connection;
  readonly spool: KurrentSpool;
  close(): Promise<void>;
} {
  const dial = () =>
    new Connection({
      address: toAddress({ url, directory: '.' }),
      ...{ firstPauseMs: 5, longestPauseMs: 100, longestVainMs: 200 },
      ...(onReplaced === undefined ? {} : { onReplaced }),
    });
  const connection = dial();
  const bodies = dial();
  const spool = kurrentSpool(bodies, patienceOf(parts));
  const carry = spool.carry.bind(spool);
  const all = { connection, more: [dial()], besides: [bodies] };
  const log = new KurrentLog({ ...all, prefixes, carry, ...unhurried, ...parts });
  return { connection, spool, log, close: () => log.close() };
}

const patienceOf = ({ appendLimitMs = 5_000, patienceMs = 15_000 }: LogParts) => ({
  limitMs: appendLimitMs,
  patienceMs,
});

/** The machine may be slow. */
const unhurried = { appendLimitMs: 20_000, readLimitMs: 20_000, patienceMs: 120_000 };

/** A cluster may elect another leader meanwhile. */
export const realPatience = { appendLimitMs: 10_000, readLimitMs: 20_000, patienceMs: 60_000 };

/** For tests of faults: nobody waits for long. */
export const impatient = { appendLimitMs: 150, readLimitMs: 300, patienceMs: 20_000 };

export async function openStandIn(options: StandInOptions = {}, parts: LogParts = {}) {
  const server = await new StandIn(options).start();
  const { log, connection, spool } = openLogAt(server.url(), parts);
  return {
    ...{ server, log, connection, spool },
    close: async () => {
      await log.close();
      await server.stop();
    },
  };
}
