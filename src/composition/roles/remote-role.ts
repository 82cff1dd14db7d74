/** The role `remote`: outgoing SMTP and DNS. Sees neither log nor spool: bodies are handed to it. */
import type { Config } from '../../control/config.ts';
import { controlsInForce, type ControlsInForce } from '../../control/in-force.ts';
import { remoteChannel } from '../../delivery/remote/channel.ts';
import { ownAddresses } from '../../delivery/remote/own-addresses.ts';
import type { RemoteSettings } from '../../delivery/remote/ports.ts';
import { emptyTcpto } from '../../delivery/remote/tcpto.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemDns } from '../../platform/dns-system.ts';
import type { Logger } from '../../platform/logger.ts';
import { serveChannel } from '../links/order-link.ts';
import { firstUpMs, steadyLink } from '../links/sockets.ts';
import { serveTcpto } from '../links/tcpto-link.ts';
import type { Given } from './given.ts';
import type { Running } from './running.ts';

export async function runRemote(
  config: Config,
  _logger: Logger,
  { handed }: Given,
): Promise<Running> {
  const controls = controlsInForce(handed.controls, config.controlDir);
  let inForce = config;
  const tcpto = emptyTcpto();
  const channel = remoteChannel({
    dns: systemDns(),
    settings: () => remoteSettings(inForce, controls),
    clock: systemClock,
    random: Math.random,
    ownAddresses: remembered(ownAddresses, ownAddressesMs),
    tcpto,
  });
  const link = steadyLink('remote', {
    ...serveChannel(channel),
    ...serveTcpto(tcpto, systemClock),
  });
  await link.firstUp(firstUpMs);
  return {
    async reload(newly, newConfig) {
      controls.reload(newly.controls);
      inForce = newConfig;
    },
    async stop() {
      link.close();
      channel.close();
    },
  };
}

function remoteSettings(config: Config, { current }: ControlsInForce): RemoteSettings {
  const { helohost, timeoutconnect, timeoutremote, outgoingip } = current.controls;
  return {
    heloHost: helohost,
    timeoutConnectMs: timeoutconnect * 1000,
    timeoutRemoteMs: timeoutremote * 1000,
    ...(outgoingip === undefined ? {} : { outgoingIp: outgoingip }),
    ...config.remote,
    listenPorts: Object.values(config.listen).flatMap((list) => list.map(({ port }) => port)),
  };
}

/** Interfaces change seldom, and asking the kernel for them costs more than a delivery. */
const ownAddressesMs = 10_000;

function remembered<T>(ask: () => T, forMs: number): () => T {
  let value = ask();
  let until = systemClock.steady() + forMs;
  return () => {
    const now = systemClock.steady();
    if (now >= until) {
      value = ask();
      until = now + forMs;
    }
    return value;
  };
}
