/**
 * The SMTP door (qmail-smtpd under tcpserver): takes connections from a listening server, its own
 * or one that a parent process opened, and has a session on each.
 * It reads no file, no environment and no log; it writes to its sockets and its ports, nothing else.
 */
import net from 'node:net';
import type { SMTPServer } from 'smtp-server';
import { networkOf, normalizeIp } from '../../mail/ip-address.ts';
import type { Clock } from '../../platform/clock.ts';
import type { DoorRules } from '../accept.ts';
import type { Directory, Intake, Refusals } from '../ports.ts';
import { recipientCheck } from '../recipients.ts';
import type { RouteOf } from '../recipients.ts';
import { DoorConnection } from './connection.ts';
import type { ConnectionParts } from './connection.ts';
import { Crowd } from './crowd.ts';
import type { CrowdLimits, Guest } from './crowd.ts';
import { libraryLimits, toLibrary } from './library.ts';
import { formatPeer, knownBySocket, lookedUp } from './newcomer.ts';
import type { Newcomer, NewcomerParts } from './newcomer.ts';
import { patiencesOf } from './patience.ts';
import { replies } from './replies.ts';
import type { Reply } from './replies.ts';
import type { Client } from './session.ts';
import type { SmtpSettings } from './settings.ts';

export type SmtpDoorParts = NewcomerParts & {
  readonly settings: SmtpSettings;
  /** The rules in force, asked for whenever one is needed: a reload shows at once. */
  readonly rules: () => DoorRules;
  readonly route: RouteOf;
  readonly intake: Intake;
  readonly directory: Directory;
  readonly refusals: Refusals;
};

/** Where connections come from. */
export type Listening = {
  /** From load balancers alone, which say whose each is. */
  readonly isProxied?: boolean;
};

export interface SmtpDoor {
  /** Resolves when the server listens; a server that does already is taken as it is. */
  listen(
    on: net.Server | { readonly host: string; readonly port: number },
    how?: Listening,
  ): Promise<net.Server>;
  /** One accepted connection, from wherever. */
  take(socket: net.Socket, how?: Listening): void;
  /** A new certificate, for the connections that come after. */
  renewCertificate(tls: { readonly key: string | Buffer; readonly cert: string | Buffer }): void;
  /** Limits hold from now on, the rest for connections that come after; name and certificate stay. */
  obey(settings: SmtpSettings): void;
  /**
   * Takes no more connections, sends idle clients home (421), lets letters under way end in their
   * reply; after `drainMs` says 421 to whoever is left. Resolves when nobody is there any more.
   */
  drain(): Promise<void>;
  /** Connections open now. */
  readonly connections: number;
}

/** How long the last 421 may take to go out. */
const lastWordsMs = 1_000;

export const smtpDoor = (parts: SmtpDoorParts): SmtpDoor => new Door(parts);

class Door implements SmtpDoor {
  readonly #parts: SmtpDoorParts;
  #settings: SmtpSettings;
  #seats: ConnectionParts;
  /** Not listening: it holds what smtp-server's connections want of their server, TLS above all. */
  readonly #library: SMTPServer;
  readonly #servers = new Set<net.Server>();
  /** Whoever has a place; and, with a session, until its socket is closed, whoever has lost it too. */
  readonly #crowd: Crowd;
  readonly #seated = new Set<DoorConnection>();
  /** In the handshake of implicit TLS. */
  readonly #handshaking = new Set<Guest>();
  /** Accepted, but we do not know yet whose they are, or under what name. */
  #arriving = 0;
  #drained: Promise<void> | undefined;
  #lastGone: () => void = () => undefined;

  constructor(parts: SmtpDoorParts) {
    const { settings } = parts;
    this.#parts = parts;
    this.#settings = settings;
    this.#library = toLibrary(settings);
    this.#library.on('error', (cause) => parts.report('tls', cause));
    this.#crowd = new Crowd(limitsOf(settings), parts.clock);
    this.#seats = this.#seatsBy(settings);
  }

  get connections(): number {
    return this.#seated.size + this.#arriving + this.#handshaking.size;
  }

  listen(
    on: net.Server | { readonly host: string; readonly port: number },
    how: Listening = {},
  ): Promise<net.Server> {
    const server = on instanceof net.Server ? on : net.createServer();
    this.#servers.add(server);
    server.on('connection', (socket) => this.take(socket, how));
    if (server.listening) return Promise.resolve(this.#watch(server));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        resolve(this.#watch(server));
      });
      if (!(on instanceof net.Server)) server.listen(on.port, on.host);
    });
  }

  take(socket: net.Socket, { isProxied = false }: Listening = {}): void {
    // A client may go away at any time; whoever has the socket then hears of it by its close.
    socket.on('error', () => undefined);
    // It may also end its side first and wait for the replies.
    socket.allowHalfOpen = true;
    const parts = this.#parts;
    const ip = normalizeIp(socket.remoteAddress ?? '');
    if (ip === undefined) return void socket.destroy();
    const from = { ip, port: socket.remotePort ?? 0 };
    if (this.#drained !== undefined)
      return this.#turnAway(socket, formatPeer(from), replies.closing);
    if (!isProxied && parts.hostOf === undefined)
      return this.#meet(socket, knownBySocket(parts, from));
    if (this.#arriving >= this.#settings.maxConnections)
      return this.#turnAway(socket, formatPeer(from), replies.full);
    this.#arriving += 1;
    void lookedUp(parts, socket, from, isProxied).then((newcomer) => {
      this.#arriving -= 1;
      this.#meet(socket, newcomer);
    });
  }

  renewCertificate(tls: { readonly key: string | Buffer; readonly cert: string | Buffer }): void {
    this.#library.updateSecureContext({ key: tls.key, cert: tls.cert });
  }

  obey(settings: SmtpSettings): void {
    this.#settings = settings;
    this.#seats = this.#seatsBy(settings);
    this.#crowd.obey(limitsOf(settings));
    Object.assign(this.#library.options, libraryLimits(settings));
  }

  drain(): Promise<void> {
    this.#drained ??= this.#close();
    return this.#drained;
  }

  #seatsBy(settings: SmtpSettings): ConnectionParts {
    const { greetingDelayMs, minBytesPerSecond } = settings;
    return {
      session: toSessionParts(this.#parts, settings),
      minBytesPerSecond,
      greetingDelayMs: ({ rights }) => (rights.relay === undefined ? greetingDelayMs : 0),
      isDraining: () => this.#drained !== undefined,
      gone: (connection) => this.#gone(connection),
    };
  }

  #watch(server: net.Server): net.Server {
    server.on('error', (cause) => this.#parts.report('listener', cause));
    return server;
  }

  /** tcpserver -x: who may not come in hears nothing. */
  #meet(socket: net.Socket, newcomer: Newcomer): void {
    const { client } = newcomer;
    if (client === undefined) {
      const { peer, why } = newcomer;
      const reply = `(closed without a word: ${why})`;
      if (why !== undefined) this.#parts.refusals.note({ door: this.#settings.name, peer, reply });
      socket.destroy();
    } else if (socket.destroyed) return;
    else if (this.#drained !== undefined) this.#turnAway(socket, client.peer, replies.closing);
    else this.#welcome(socket, client);
  }

  #welcome(socket: net.Socket, client: Client): void {
    const { ip, peer, rights } = client;
    const admission = this.#crowd.admits(networkOf(ip), rights.relay !== undefined);
    if (admission === 'full') this.#turnAway(socket, peer, replies.full);
    else if (admission === 'too-many-from-there')
      this.#turnAway(socket, peer, replies.tooManyOfYou);
    else if (this.#settings.tls?.implicit === true) this.#shakeHands(socket, client);
    else this.#connect(socket, client);
  }

  #shakeHands(socket: net.Socket, client: Client): void {
    const top = () => this.#library._pendingSockets.get(socket) ?? socket;
    const guest = handshake(top, client, this.#parts.clock);
    const release = this.#library._acceptSocket(socket, true);
    if (release === false) return;
    this.#handshaking.add(guest);
    this.#crowd.seat(guest);
    this.#library._upgrade(socket, (cause, secure) => {
      release();
      this.#handshaking.delete(guest);
      this.#crowd.leave(guest);
      if (secure !== undefined) return this.#connect(secure, client);
      socket.destroy();
      this.#parts.report('tls', cause);
    });
  }

  #connect(socket: net.Socket, client: Client): void {
    const connection = new DoorConnection(this.#library, socket, client, this.#seats);
    connection.on('error', (cause) => this.#parts.report('connection', cause));
    this.#seated.add(connection);
    this.#crowd.seat(connection);
    connection.init();
    // One that came while its handshake was under way.
    if (this.#drained !== undefined) connection.drain();
  }

  /** A line if it can be said in clear, and good-bye. */
  #turnAway(socket: net.Socket, peer: string, { text: reply }: Reply): void {
    this.#parts.refusals.note({ door: this.#settings.name, peer, reply });
    if (this.#settings.tls?.implicit === true) socket.destroy();
    else socket.end(`${reply}\r\n`, () => socket.destroy());
  }

  #gone(connection: DoorConnection): void {
    this.#seated.delete(connection);
    this.#crowd.leave(connection);
    if (this.#seated.size === 0) this.#lastGone();
  }

  async #close(): Promise<void> {
    for (const server of this.#servers) server.close();
    // After this turn, so that `isDraining` is true for all that follows.
    await Promise.resolve();
    for (const connection of [...this.#seated]) connection.drain();
    await this.#emptyWithin(this.#settings.drainMs);
    for (const connection of [...this.#seated]) connection.end();
    await this.#emptyWithin(lastWordsMs);
    for (const connection of [...this.#seated]) connection.destroy();
    for (const guest of [...this.#handshaking]) guest.dismiss('late');
  }

  /** Resolves when the last connection is gone, or after so long. */
  #emptyWithin(ms: number): Promise<void> {
    if (this.#seated.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(ms, resolve);
      this.#lastGone = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** A place that is taken before there is a session. */
function handshake(top: () => net.Socket, { ip, rights }: Client, clock: Clock): Guest {
  const since = clock.steady();
  return {
    network: networkOf(ip),
    trusted: rights.relay !== undefined,
    overdrawn: ({ handshakeMs }, now) => now - since - handshakeMs,
    idleMs: (now) => now - since,
    // From the top: node does not survive a TLS socket that loses its ground.
    dismiss: () => void top().destroy(),
  };
}

const limitsOf = (settings: SmtpSettings): CrowdLimits => ({
  most: settings.maxConnections,
  mostPerNetwork: settings.maxPerAddress,
  patiences: patiencesOf(settings),
});

function toSessionParts(parts: SmtpDoorParts, settings: SmtpSettings): ConnectionParts['session'] {
  const { rules, route, directory, intake, refusals, clock, report } = parts;
  const timeoutMs = settings.directoryTimeoutMs;
  return {
    ...{ rules, intake, refusals, clock, report },
    receives: recipientCheck({ route, directory, clock, timeoutMs }),
    name: settings.name,
    startTls: settings.tls !== undefined && settings.tls.implicit !== true,
    maxRecipients: settings.maxRecipients,
    maxFruitless: settings.maxFruitless,
    bareNewlines: settings.bareNewlines,
    letterTimeoutMs: settings.letterTimeoutMs,
  };
}
