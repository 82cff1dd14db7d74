/**
 * `sendmail -bs`: an SMTP session on stdin and stdout. The door's own session, with the letters going
 * the way of all local programs': the uid of whoever called is on top of them.
 */
import type net from 'node:net';
import { Duplex } from 'node:stream';
import { acceptsRecipient } from '../../../control/rcpthosts.ts';
import { readControls } from '../../../control/disk.ts';
import { smtpDoor } from '../../../ingress/smtp/door.ts';
import { defaultSmtpSettings } from '../../../ingress/smtp/settings.ts';
import type { IncomingLetter } from '../../../ingress/ports.ts';
import { claimedUser } from '../../../ingress/inject/settings.ts';
import { systemClock } from '../../../platform/clock.ts';
import { route, toRoutingRules } from '../../../queue/routing.ts';
import { callEngine, type EngineCall } from './engine-call.ts';
import { placesOf } from './places.ts';
import { tryLater, type Environment } from './program.ts';

/** Variables of a session that nobody has told us of (tcpserver would). */
const fromHere = (): Environment => ({
  PROTO: 'TCP',
  TCPLOCALHOST: 'localhost',
  TCPREMOTEIP: '127.0.0.1',
  TCPREMOTEHOST: 'localhost',
  RELAYCLIENT: '',
  DATABYTES: '0',
  // As the kernel knows us; the line above this one is the engine's, and says the same.
  TCPREMOTEINFO: `sendmail-bs+uid=${process.getuid?.()}`,
});

export async function stdioSmtp(env: Environment): Promise<number> {
  const facts = env['PROTO'] === undefined ? fromHere() : env;
  const places = placesOf(env);
  const loaded = readControls(`${places.config}/control`);
  const { controls } = loaded;
  const call = await callEngine(places, claimedUser(env)).catch((cause: unknown) => {
    throw tryLater(`unable to run qmail-smtpd: ${String(cause)}`);
  });
  const routing = toRoutingRules(controls);
  const door = smtpDoor({
    settings: {
      ...defaultSmtpSettings,
      ...{ name: 'sendmail-bs', timeoutMs: controls.timeoutsmtpd * 1000 },
      // What a program of this machine writes has the machine's line ends.
      bareNewlines: 'normalize',
    },
    rules: () => ({
      me: facts['TCPLOCALHOST'] ?? controls.me ?? controls.smtpgreeting,
      greeting: controls.smtpgreeting,
      badmailfrom: controls.badmailfrom,
      rcpthosts: (recipient) => acceptsRecipient(recipient, controls) !== undefined,
      databytes: controls.databytes,
      localiphost: controls.localiphost,
      isOwnIp: () => false,
    }),
    clientRules: () => ({ allow: true, env: textsOf(facts) }),
    route: (address) => route(address, routing),
    intake: { begin: () => letterOver(call) },
    // Nobody here knows who has a mailbox: the queue bounces what cannot be delivered.
    directory: { receives: () => Promise.resolve(true) },
    refusals: { note: () => undefined },
    clock: systemClock,
    report: () => undefined,
    hostOf: () => Promise.resolve(facts['TCPREMOTEHOST']),
  });
  const socket = stdioSocket(facts['TCPREMOTEIP'] ?? '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  door.take(socket);
  await closed;
  await call.close();
  return 0;
}

const textsOf = (env: Environment): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

function letterOver(call: EngineCall): IncomingLetter {
  return {
    id: call.id,
    write: (chunk) => call.write(chunk),
    accept: ({ returnPath, recipients }) =>
      call.accept({ sender: returnPath, recipients }, new Uint8Array(0)),
    abandon: () => void call.abandon().catch(() => undefined),
  };
}

/** What a connection asks of a socket, on two descriptors. */
function stdioSocket(remoteAddress: string): net.Socket {
  const duplex = Duplex.from({ readable: process.stdin, writable: process.stdout });
  let idle: NodeJS.Timeout | undefined;
  const socket = Object.assign(duplex, {
    remoteAddress,
    remotePort: 0,
    setTimeout(ms: number, onTimeout?: () => void) {
      clearTimeout(idle);
      if (onTimeout !== undefined) duplex.on('timeout', onTimeout);
      if (ms > 0) idle = setTimeout(() => duplex.emit('timeout'), ms);
      return socket;
    },
    destroySoon: () => duplex.end(() => duplex.destroy()),
    setKeepAlive: () => socket,
    setNoDelay: () => socket,
    ref: () => socket,
    unref: () => socket,
  });
  return socket as unknown as net.Socket;
}
