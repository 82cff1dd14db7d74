/**
 * A server that speaks the event store's protocol to the official client, for tests and measurements on
 * machines without one. Two of them over one `Store` are a cluster (`cluster.ts` sets one up); `faults` says
 * what goes wrong.
 */
import type { Server as NetServer, Socket } from 'node:net';
import type { Metadata } from '@grpc/grpc-js';
import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ReadCall } from '../../../src/gateway/read.ts';
import { serveRead } from '../../../src/gateway/read.ts';
import { supportedMethods } from '../../../src/gateway/greetings.ts';
import {
  GossipServiceDefinition,
  ServerFeaturesService,
  StreamsServiceDefinition,
} from '../../../src/gateway/messages.ts';
import { accessDenied, notAuthenticated, Refusal } from '../../../src/gateway/refusals.ts';
import { abilitiesOf } from './abilities.ts';
import {
  notLeaderV2,
  RecordsService,
  serveAppendRecords,
  serveAppendSession,
} from './append-records.ts';
import { serveAppend, serveBatchAppend } from './appends.ts';
import { serveDelete, type DeleteAnswer, type DeleteCall } from './deletes.ts';
import { Faults, take } from './faults.ts';
import { gossipOf, selfAnd, type Peer } from './gossip.ts';
import { breakOff, inItsWords, sourceOf } from './reads.ts';
import { Store } from './store.ts';

export type StandInOptions = {
  readonly store?: Store;
  /** Where it listens, and what it says of itself; default 127.0.0.1. */
  readonly host?: string;
  readonly port?: number;
  /** Default `26.1.0`; below 25.1 an append takes 1 MiB. */
  readonly version?: string;
  /** Whether appends may share one call; default: yes. */
  readonly takesBatches?: boolean;
  readonly tls?: { readonly certificate: Buffer; readonly key: Buffer };
  /** `user:password`; whoever comes without it is sent away. */
  readonly login?: string;
  /** Resolves when what was written is on disk. */
  readonly settled?: () => Promise<void>;
};

export type Leader = { readonly host: string; readonly port: number };

export class StandIn {
  readonly store: Store;
  readonly faults = new Faults();
  readonly calls: string[] = [];
  /** Set: this one is a follower. */
  leader: Leader | undefined;
  /** What it tells of all nodes, itself included, where that is more than itself and its leader. */
  peers: (() => readonly Peer[]) | undefined;
  /** Nobody leads: nothing is written, and read only by those who do not ask for the leader. */
  elects = false;
  /** `user:password`; whoever comes without it is sent away. */
  login: string | undefined;
  /** Whether that user is one of those who may read everything, `$all`. */
  readsAll = true;
  readonly #options: StandInOptions;
  readonly #reads = new Set<ReadCall>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(options: StandInOptions = {}) {
    this.#options = options;
    this.store = options.store ?? new Store();
    this.login = options.login;
    this.#port = options.port ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  get #host(): string {
    return this.#options.host ?? '127.0.0.1';
  }

  /** For one node; `more` after a `&`. */
  url(more = ''): string {
    const { login } = this;
    const { tls } = this.#options;
    const user = login === undefined ? '' : `${login}@`;
    const plain = tls === undefined ? 'tls=false' : 'tls=true';
    // The first read waits so long before it dials.
    return `kurrentdb://${user}${this.#host}:${this.#port}?${plain}&discoveryInterval=1${more}`;
  }

  /** The same port again after `stop`. */
  async start(): Promise<this> {
    const server = new Server({
      'grpc.max_receive_message_length': 20 * 1024 * 1024,
      'grpc.max_send_message_length': 20 * 1024 * 1024,
    });
    this.#addServices(server);
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${this.#host}:${this.#port}`, this.#credentials(), (cause, port) =>
        cause === null ? resolve(port) : reject(cause),
      );
    });
    this.#server = server;
    // One that is just being accepted when everything stops is in nobody's books.
    const { http2Servers } = server as unknown as { http2Servers: Map<NetServer, unknown> };
    for (const inner of http2Servers.keys()) {
      inner.on('connection', (socket) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      });
    }
    return this;
  }

  /** As a node that is killed: everybody's connections break. */
  async stop(): Promise<void> {
    this.#server?.forceShutdown();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends subscriptions and reads under way: with a status, or as if they were over. */
  breakReads(code?: status): void {
    for (const call of this.#reads) {
      if (code === undefined) call.end();
      else call.emit('error', new Refusal(code, 'broken on purpose'));
    }
  }

  #credentials(): ServerCredentials {
    const { tls } = this.#options;
    if (tls === undefined) return ServerCredentials.createInsecure();
    return ServerCredentials.createSsl(null, [
      { cert_chain: tls.certificate, private_key: tls.key },
    ]);
  }

  /** A node that hangs hears calls and answers none. */
  #serve(server: Server, service: ServiceDefinition, handlers: Handlers): void {
    const patient = Object.entries(handlers).map(([name, handle]): [string, Handler] => [
      name,
      (call, answer) => (this.faults.hangs ? undefined : handle(call, answer)),
    ]);
    server.addService(service, Object.fromEntries(patient) as UntypedServiceImplementation);
  }

  #addServices(server: Server): void {
    const { version = '26.1.0', takesBatches = true } = this.#options;
    const { methods, maxAppendBytes, sessions, records } = abilitiesOf(version, takesBatches);
    const parts = {
      ...{ store: this.store, faults: this.faults, elects: () => this.elects },
      maxAppendBytes,
      settled: this.#options.settled ?? (() => Promise.resolve()),
    };
    this.#serve(server, StreamsServiceDefinition, {
      read: (call: ReadCall) => void this.#read(call),
      append: (
        call: Parameters<typeof serveAppend>[0],
        answer: Parameters<typeof serveAppend>[1],
      ) => {
        const refusal = this.#refusal('append', call.metadata);
        if (refusal !== undefined) return answer(refusal);
        serveAppend(call, answer, parts);
      },
      batchAppend: (call: Parameters<typeof serveBatchAppend>[0]) => {
        const refusal = this.#refusal('batchAppend', call.metadata);
        if (refusal !== undefined) return void call.emit('error', refusal);
        serveBatchAppend(call, parts);
      },
      delete: (call: DeleteCall, answer: sendUnaryData<object>) =>
        this.#delete(call, answer, false),
      tombstone: (call: DeleteCall, answer: sendUnaryData<object>) =>
        this.#delete(call, answer, true),
    });
    this.#serve(server, RecordsService, {
      appendSession: (
        call: Parameters<typeof serveAppendSession>[0],
        answer: Parameters<typeof serveAppendSession>[1],
      ) => {
        if (!sessions) return answer(new Refusal(status.UNIMPLEMENTED, 'not here'));
        const refusal = this.#refusal('appendSession', call.metadata);
        if (refusal !== undefined) return answer(refusal);
        serveAppendSession(call, answer, parts);
      },
      appendRecords: (
        call: Parameters<typeof serveAppendRecords>[0],
        answer: Parameters<typeof serveAppendRecords>[1],
      ) => {
        if (!records) return answer(new Refusal(status.UNIMPLEMENTED, 'not here'));
        const refusal = this.#refusal('appendRecords', call.metadata);
        if (refusal !== undefined) return answer(refusal);
        serveAppendRecords(call, answer, parts);
      },
    });
    this.#serve(server, ServerFeaturesService, {
      getSupportedMethods: (call: GreetingCall, answer: sendUnaryData<object>) => {
        this.calls.push('features');
        if (this.#isStranger(call.metadata)) return answer(notAuthenticated());
        if (take(this.faults, 'failFeatures')) {
          return answer(new Refusal(status.UNAVAILABLE, 'not yet'));
        }
        answer(null, supportedMethods(methods, version));
      },
    });
    this.#serve(server, GossipServiceDefinition, {
      read: (call: GreetingCall, answer: sendUnaryData<object>) => {
        this.calls.push('gossip');
        if (this.#isStranger(call.metadata)) return answer(notAuthenticated());
        const self = { host: this.#host, port: this.#port };
        answer(null, gossipOf(this.peers?.() ?? selfAnd(self, this.leader)));
      },
    });
  }

  /** Greetings are for everybody, but not for one who says he is somebody and is not. */
  #isStranger(metadata: Metadata): boolean {
    const { login } = this;
    const [authorization] = metadata.get('authorization');
    const isNamed = authorization !== undefined && login !== undefined;
    return isNamed && authorization !== `Basic ${btoa(login)}`;
  }

  /** Why this call is not served. */
  #refusal(what: string, metadata: Metadata): Refusal | undefined {
    this.calls.push(what);
    const { login } = this;
    const [authorization] = metadata.get('authorization');
    if (login !== undefined && authorization !== `Basic ${btoa(login)}`) return notAuthenticated();
    if (take(this.faults, 'unavailable')) return new Refusal(status.UNAVAILABLE, 'away');
    const { leader } = this;
    const [requiresLeader] = metadata.get('requires-leader');
    // A follower passes appends on, unless it is told not to.
    const isSecond = ['appendRecords', 'appendSession'].includes(what);
    const isForLeader = isSecond || requiresLeader === 'true';
    // In a batch each append is answered for itself.
    const isNow = isForLeader || !['read', 'batchAppend'].includes(what);
    if (this.elects && isNow) {
      return new Refusal(status.UNAVAILABLE, 'Server Is Not Ready');
    }
    if (leader === undefined || !isForLeader) return undefined;
    if (isSecond) return notLeaderV2();
    return new Refusal(status.NOT_FOUND, 'Leader info available', {
      exception: 'not-leader',
      'leader-endpoint-host': leader.host,
      'leader-endpoint-port': String(leader.port),
    });
  }

  async #read(call: ReadCall): Promise<void> {
    const refusal = this.#refusal('read', call.metadata);
    if (refusal !== undefined) return void call.emit('error', refusal);
    if (take(this.faults, 'silentReads')) return;
    const options = call.request.getOptions();
    if (options?.hasAll() === true) {
      if (!this.readsAll) return void call.emit('error', accessDenied());
      const { slowPagesMs } = this.faults;
      const isPage = options.hasCount();
      if (isPage && slowPagesMs > 0) await new Promise((go) => setTimeout(go, slowPagesMs));
    }
    this.#reads.add(call);
    call.on('cancelled', () => this.#reads.delete(call));
    call.on('error', () => undefined);
    try {
      if (take(this.faults, 'brokenReads')) breakOff(call);
      await serveRead(call, sourceOf(this.store, this.faults));
    } catch (cause) {
      call.emit('error', inItsWords(cause, call));
    } finally {
      this.#reads.delete(call);
    }
  }

  #delete(call: DeleteCall, answer: DeleteAnswer, isFinal: boolean): void {
    const refusal = this.#refusal('delete', call.metadata);
    if (refusal !== undefined) return answer(refusal);
    const { settled = () => Promise.resolve() } = this.#options;
    serveDelete(call, answer, { store: this.store, settled }, isFinal);
  }
}

/** Of whatever kind of call. */
type Handler = (call: never, answer: never) => unknown;
type Handlers = { readonly [name: string]: Handler };

type GreetingCall = { readonly metadata: Metadata };
