/** The role `door`: its sockets and `accept`, nothing else. Files are read at the start and at a reload only. */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import type { Config } from '../../control/config.ts';
import { controlsIn, type ControlsInForce } from '../../control/in-force.ts';
import { acceptsRecipient } from '../../control/rcpthosts.ts';
import { lookupTcpRule } from '../../control/tcp-rules.ts';
import { ownAddresses } from '../../delivery/remote/own-addresses.ts';
import type { DoorRules } from '../../ingress/accept.ts';
import { smtpDoor, type SmtpDoor, type SmtpDoorParts } from '../../ingress/smtp/door.ts';
import { defaultSmtpSettings, type SmtpSettings } from '../../ingress/smtp/settings.ts';
import { ControlMistake } from '../../mail/trouble.ts';
import { systemClock } from '../../platform/clock.ts';
import { wordsOf, type Logger } from '../../platform/logger.ts';
import { route, toRoutingRules } from '../../queue/routing.ts';
import { linkedDirectory } from '../links/directory-link.ts';
import { linkedIntake } from '../links/intake-link.ts';
import { firstUpMs, steadyLink } from '../links/sockets.ts';
import type { InheritedListener, ListenerKind } from './listeners.ts';
import type { Running } from './running.ts';

export async function runDoor(
  config: Config,
  logger: Logger,
  listeners: readonly InheritedListener[],
): Promise<Running> {
  const controls = controlsIn(config.controlDir);
  const link = steadyLink('door');
  await link.firstUp(firstUpMs);
  const kinds = [...new Set(listeners.map(({ kind }) => kind))];
  const doors = new Map<ListenerKind, SmtpDoor>();
  const parts = doorParts(controls, logger, {
    intake: linkedIntake(() => link.current(), systemClock),
    directory: linkedDirectory(() => link.current()),
    refusals: { note: (refusal) => link.current()?.notify('refused', refusal) },
  });
  for (const kind of kinds) {
    doors.set(kind, smtpDoor({ ...parts, settings: settingsOf(kind, config, controls) }));
  }
  for (const { kind, fd } of listeners) {
    const server = net.createServer({ allowHalfOpen: true });
    await listenOn(server, fd);
    await doors.get(kind)!.listen(server);
  }
  return {
    async reload() {
      controls.reload();
      const tls = readTls(config);
      if (tls !== undefined) for (const door of doors.values()) door.renewCertificate(tls);
    },
    async stop() {
      await Promise.all([...doors.values()].map((door) => door.drain()));
      link.close();
    },
  };
}

type Ports = Pick<SmtpDoorParts, 'intake' | 'directory' | 'refusals'>;

function doorParts(
  controls: ControlsInForce,
  logger: Logger,
  ports: Ports,
): Omit<SmtpDoorParts, 'settings'> {
  const own = ownAddresses();
  // Derived once per reload, not once per recipient.
  const derived = perReload(controls, ({ controls: values }) => ({
    routing: toRoutingRules(values),
    rules: {
      me: values.me ?? values.smtpgreeting,
      greeting: values.smtpgreeting,
      badmailfrom: values.badmailfrom,
      rcpthosts: (recipient) => acceptsRecipient(recipient, values) !== undefined,
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
    clock: systemClock,
    report: (what, cause) => logger.warn({ what, cause: wordsOf(cause) }, 'door'),
  };
}

function settingsOf(
  kind: ListenerKind,
  config: Config,
  { current }: ControlsInForce,
): SmtpSettings {
  const { timeoutsmtpd, concurrencyincoming } = current.controls;
  const { door } = config;
  const tls = readTls(config);
  const connections = concurrencyincoming ?? door.maxConnections;
  return {
    ...defaultSmtpSettings,
    name: kind,
    timeoutMs: timeoutsmtpd * 1000,
    greetingDelayMs: door.greetingDelayMs,
    maxConnections: Math.max(1, Math.floor(connections / door.processes)),
    maxRecipients: door.maxRecipients,
    bareNewlines: door.bareNewlines,
    ...(tls === undefined ? {} : { tls: { ...tls, implicit: kind === 'smtps' } }),
  };
}

function readTls({ tls }: Config): { key: Buffer; cert: Buffer } | undefined {
  if (tls === undefined) return undefined;
  return { key: readPem(tls.key), cert: readPem(tls.certificate) };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ControlMistake(file, undefined, `cannot be read: ${wordsOf(cause)}`);
  }
}

function perReload<T>(
  controls: ControlsInForce,
  derive: (current: ControlsInForce['current']) => T,
): () => T {
  let of = controls.current;
  let value = derive(of);
  return () => {
    if (of !== controls.current) {
      of = controls.current;
      value = derive(of);
    }
    return value;
  };
}

/** The socket is bound already, and may be shared with other doors and with our predecessor. */
function listenOn(server: net.Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd, backlog: 511 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
