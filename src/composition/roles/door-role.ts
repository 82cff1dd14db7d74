/** The role `door`: its sockets and `accept`, nothing else. What it must know is handed to it; of files it reads control/morercpthosts.cdb alone. */
import net from 'node:net';
import { join } from 'node:path';
import type { Config } from '../../control/config.ts';
import { controlsInForce, type ControlsInForce } from '../../control/in-force.ts';
import { moreHosts } from '../../control/more-hosts.ts';
import { isWithin } from '../../control/networks.ts';
import { acceptsRecipient } from '../../control/rcpthosts.ts';
import { lookupTcpRule } from '../../control/tcp-rules.ts';
import { ownAddresses } from '../../delivery/remote/own-addresses.ts';
import type { DoorRules } from '../../ingress/accept.ts';
import { smtpDoor, type SmtpDoor, type SmtpDoorParts } from '../../ingress/smtp/door.ts';
import { defaultSmtpSettings, type SmtpSettings } from '../../ingress/smtp/settings.ts';
import { isTrouble } from '../../mail/trouble.ts';
import { systemClock } from '../../platform/clock.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { nowAndThen } from '../../platform/now-and-then.ts';
import { openFilesLimit } from '../../platform/open-files.ts';
import { route, toRoutingRules } from '../../queue/routing.ts';
import { linkedDirectory } from '../links/directory-link.ts';
import { linkedIntake } from '../links/intake-link.ts';
import { firstUpMs, steadyLink, type SteadyLink } from '../links/sockets.ts';
import { doorPlaces, type DoorPlaces } from './door-places.ts';
import type { Given } from './given.ts';
import { moreRcpthostsFile, moreRcpthostsIn, type Handed, type TlsTexts } from './handed.ts';
import type { ListenerKind } from './listeners.ts';
import type { Running } from './running.ts';

export async function runDoor(
  config: Config,
  logger: Logger,
  { handed, listeners }: Given,
): Promise<Running> {
  const controls = controlsInForce(handed.controls, config.controlDir);
  let inForce = handed;
  const link = steadyLink('door');
  await link.firstUp(firstUpMs);
  const kinds = [...new Set(listeners.map(({ kind }) => kind))];
  const doors = new Map<ListenerKind, SmtpDoor>();
  const parts = doorParts(config, controls, () => inForce, logger, {
    intake: linkedIntake(() => link.current(), systemClock),
    directory: linkedDirectory(() => link.current()),
    refusals: refusalsOver(link),
  });
  const settingsNow = ({ tls }: Handed, now: Config): ReadonlyMap<ListenerKind, SmtpSettings> => {
    const places = placesOf(kinds.length, now, controls);
    if (places.shortage !== undefined) logger.warn({ connections: places.most }, places.shortage);
    return new Map(kinds.map((kind) => [kind, settingsOf(kind, now, controls, places, tls)]));
  };
  for (const [kind, settings] of settingsNow(handed, config)) {
    doors.set(kind, smtpDoor({ ...parts, settings }));
  }
  for (const { kind, fd, isProxied = false } of listeners) {
    const server = net.createServer({ allowHalfOpen: true });
    await listenOn(server, fd);
    await doors.get(kind)!.listen(server, { isProxied });
  }
  return {
    async reload(newly, newConfig) {
      const { controls: texts, tls } = newly;
      // The one step that can still fail comes first: either all of it or nothing.
      if (tls !== undefined) for (const door of doors.values()) door.renewCertificate(tls);
      controls.reload(texts);
      inForce = newly;
      for (const [kind, settings] of settingsNow(newly, newConfig)) doors.get(kind)!.obey(settings);
    },
    async stop() {
      await Promise.all([...doors.values()].map((door) => door.drain()));
      link.close();
    },
  };
}

/** So many refusals may be on their way to the queue; a slow one does not hear of the rest. */
const maxNotes = 1_000;
const noteTimeoutMs = 60_000;

function refusalsOver(link: SteadyLink): SmtpDoorParts['refusals'] {
  let underWay = 0;
  return {
    note(refusal) {
      const to = link.current();
      if (to === undefined || underWay >= maxNotes) return;
      underWay += 1;
      void to
        .request('refused', refusal, { timeoutMs: noteTimeoutMs })
        .catch(() => undefined)
        .finally(() => (underWay -= 1));
    },
  };
}

type Ports = Pick<SmtpDoorParts, 'intake' | 'directory' | 'refusals'>;

function doorParts(
  { controlDir, proxies }: Config,
  controls: ControlsInForce,
  handed: () => Handed,
  logger: Logger,
  ports: Ports,
): Omit<SmtpDoorParts, 'settings'> {
  const own = ownAddresses();
  const moreRcpthosts = moreHosts(
    join(controlDir, moreRcpthostsFile),
    () => controls.current.controls.morercpthosts,
    handed().moreRcpthosts === undefined ? undefined : remembered(handed, moreRcpthostsIn),
  );
  // Derived once per reload, not once per recipient.
  const derived = perReload(controls, ({ controls: values }) => ({
    routing: toRoutingRules(values),
    rules: {
      me: values.me ?? values.smtpgreeting,
      greeting: values.smtpgreeting,
      badmailfrom: values.badmailfrom,
      rcpthosts: (recipient) =>
        acceptsRecipient(recipient, { ...values, morercpthosts: moreRcpthosts }) !== undefined,
      databytes: values.databytes,
      localiphost: values.localiphost,
      isOwnIp: (ip) => own.has(ip),
    } satisfies DoorRules,
  }));
  return {
    ...ports,
    rules: () => derived().rules,
    clientRules: (client) => lookupTcpRule(controls.current.tcpRules, client),
    route: (address) => route(address, derived().routing),
    isProxy: isWithin(proxies.from),
    clock: systemClock,
    report: reporter(logger),
  };
}

function placesOf(kinds: number, { door }: Config, { current }: ControlsInForce): DoorPlaces {
  return doorPlaces({
    connections: current.controls.concurrencyincoming ?? door.maxConnections,
    perAddress: door.maxConnectionsPerIp,
    ...{ processes: door.processes, kinds, openFiles: openFilesLimit() },
  });
}

function settingsOf(
  kind: ListenerKind,
  config: Config,
  { current }: ControlsInForce,
  { most, mostPerAddress }: DoorPlaces,
  tls: TlsTexts | undefined,
): SmtpSettings {
  const { door } = config;
  return {
    ...defaultSmtpSettings,
    name: kind,
    timeoutMs: current.controls.timeoutsmtpd * 1000,
    idleTimeoutMs: door.idleTimeoutMs,
    busyTimeoutMs: door.busyTimeoutMs,
    minBytesPerSecond: door.minBytesPerSecond,
    greetingDelayMs: door.greetingDelayMs,
    maxConnections: most,
    maxPerAddress: mostPerAddress,
    maxRecipients: door.maxRecipients,
    maxFruitless: door.maxFruitless,
    bareNewlines: door.bareNewlines,
    ...(tls === undefined ? {} : { tls: { ...tls, implicit: kind === 'smtps' } }),
  };
}

/** A full disk turns every letter away for the same reason: each sort is told at once, then once a minute. */
function reporter(logger: Logger): SmtpDoorParts['report'] {
  const sorts = new Map<string, (cause: unknown) => void>();
  return (what, cause) => {
    const sort = `${what} ${isTrouble(cause) ? cause.code : ''}`;
    const tell =
      sorts.get(sort) ??
      nowAndThen(systemClock, (latest, kept) =>
        logger.warn({ what, cause: wordsOf(latest), ...(kept > 0 && { times: kept + 1 }) }, 'door'),
      );
    sorts.set(sort, tell);
    tell(cause);
  };
}

const perReload = <T>(
  controls: ControlsInForce,
  derive: (current: ControlsInForce['current']) => T,
): (() => T) => remembered(() => controls.current, derive);

/** Derives anew when what it derives from is another object than before. */
function remembered<From, T>(from: () => From, derive: (of: From) => T): () => T {
  let of = from();
  let value = derive(of);
  return () => {
    const now = from();
    if (of !== now) {
      of = now;
      value = derive(of);
    }
    return value;
  };
}

/** The socket is bound already, and may be shared with other doors and with our predecessor. */
function listenOn(server: net.Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The kernel allows as many as net.core.somaxconn, at most.
    server.listen({ fd, backlog: 4_096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
