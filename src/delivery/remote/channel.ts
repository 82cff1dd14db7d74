/** The way out to other hosts (qmail-rspawn and qmail-remote in one): SMTP, with connections reused. */
import { Observable } from 'rxjs';
import type { Clock } from '../../platform/clock.ts';
import type { Dns } from '../../platform/dns.ts';
import type { AttemptReport, Channel, Order } from '../../queue/ports.ts';
import { deliver } from './deliver.ts';
import { tcpDial } from './dial.ts';
import { SessionPool } from './pool.ts';
import type { Dial, RemoteSettings } from './ports.ts';
import type { TcpTimeouts } from './tcpto.ts';
import { drawPatience } from './tcpto.ts';
import { sameForAll } from './verdicts.ts';

export type RemoteParts = {
  readonly dns: Dns;
  /** Asked once per attempt, so that a reload takes effect. */
  readonly settings: () => RemoteSettings;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Normalised addresses of this machine. */
  readonly ownAddresses: () => ReadonlySet<string>;
  /** Filled and read in place; whoever owns it may list or empty it (qmail-tcpto, qmail-tcpok). */
  readonly tcpto: TcpTimeouts;
  readonly dial?: Dial;
};

export type RemoteChannel = Channel & {
  /** Ends resting connections; those in use end with their letter. */
  close(): void;
};

/** A fault of ours is no fault of the letter's: it waits. */
const broken = 'Sorry, something went wrong within the mail system. (#4.3.0)\n';

/**
 * Unsubscribing from an attempt closes its connection at once; what the far side then makes of the
 * letter is not known.
 */
export function remoteChannel(remote: RemoteParts): RemoteChannel {
  const { dns, random, ownAddresses, clock, tcpto, dial = tcpDial } = remote;
  const pool = new SessionPool(clock);
  const hosts = { dns, random, ownAddresses };
  const standing = { hosts, dial, clock, pool, tcpto, patienceMs: drawPatience(random) };

  const attempt = (order: Order) =>
    new Observable<AttemptReport>((subscriber) => {
      const ending = new AbortController();
      const run = async () =>
        deliver(order, { ...standing, settings: remote.settings(), signal: ending.signal });
      const report = (outcomes: AttemptReport['outcomes']) => {
        subscriber.next({ outcomes });
        subscriber.complete();
      };
      let settled = false;
      void run()
        .catch(() => sameForAll(order.recipients, 'deferred', broken))
        .then((outcomes) => {
          settled = true;
          report(outcomes);
        });
      return () => {
        if (!settled) ending.abort();
      };
    });
  return { attempt, close: () => pool.close() };
}
