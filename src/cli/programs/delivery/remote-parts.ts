/** What qmail-remote needs of the machine and of the settings. */
import { join } from 'node:path';
import { readWords } from '../../../control/config-words.ts';
import { readControls } from '../../../control/disk.ts';
import type { DeliverParts } from '../../../delivery/remote/deliver.ts';
import { tcpDial } from '../../../delivery/remote/dial.ts';
import { ownAddresses } from '../../../delivery/remote/own-addresses.ts';
import { SessionPool } from '../../../delivery/remote/pool.ts';
import { drawPatience, emptyTcpto } from '../../../delivery/remote/tcpto.ts';
import { systemClock as clock } from '../../../platform/clock.ts';
import { systemDns } from '../../../platform/dns-system.ts';
import { placesOf } from '../lib/places.ts';
import type { Environment } from '../lib/program.ts';
import type { RemoteTools } from './qmail-remote.ts';

/** Of `127.0.0.1:25`, `[::1]:25`, `:25`. */
const portOf = (endpoint: string): number => Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));

/** Throws `ControlMistake`. The table of addresses that do not answer is the engine's; this one begins empty. */
export function remoteParts(env: Environment): ReturnType<RemoteTools['prepare']> {
  const { config: dir } = placesOf(env);
  const listen = readWords('listen', { dir, env });
  const { tls } = readWords('remote', { dir, env });
  const { controls } = readControls(join(dir, 'control'));
  const parts: DeliverParts = {
    hosts: { dns: systemDns(), random: Math.random, ownAddresses },
    ...{ dial: tcpDial, clock, pool: new SessionPool(clock), tcpto: emptyTcpto() },
    patienceMs: drawPatience(Math.random),
    settings: {
      heloHost: controls.helohost,
      timeoutConnectMs: controls.timeoutconnect * 1000,
      timeoutRemoteMs: controls.timeoutremote * 1000,
      ...(controls.outgoingip === undefined ? {} : { outgoingIp: controls.outgoingip }),
      // One letter, and goodbye.
      ...{ tls: tls === 'off' ? 'off' : 'opportunistic', idleMs: 0, maxPerConnection: 1 },
      listenPorts: Object.values(listen).flatMap((list) => list.map(portOf)),
    },
    signal: new AbortController().signal,
  };
  return { parts, smtproutes: controls.smtproutes };
}
