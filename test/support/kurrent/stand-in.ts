/**
 * A server that speaks the event store's protocol to the official client, for tests and measurements on
 * machines without one. Two of them over one `Store` are a cluster; `faults` says what goes wrong.
 */
import { randomUUID } from 'node:crypto';
import type { Server as NetServer, Socket } from 'node:net';
import type { Metadata } from '@grpc/grpc-js';
import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { Bounds, EventSource, ReadCall } from '../../../src/gateway/read.ts';
import { serveRead } from '../../../src/gateway/read.ts';
import { clusterInfo, supportedMethods, type Method } from '../../../src/gateway/greetings.ts';
import {
  GossipServiceDefinition,
  ServerFeaturesService,
  StreamsServiceDefinition,
  streams,
  type ReadResp,
} from '../../../src/gateway/messages.ts';
import {
  accessDenied,
  notAuthenticated,
  Refusal,
  streamDeleted,
} from '../../../src/gateway/refusals.ts';
import {
  notLeaderV2,
  recordsMethod,
  RecordsService,
  serveAppendRecords,
} from './append-records.ts';
import { serveAppend, serveBatchAppend, toTarget } from './appends.ts';
import { Faults, take } from './faults.ts';
import { Store } from './store.ts';

export type StandInOptions = {
  readonly store?: Store;
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

const streamsService = 'event_store.client.streams.streams';

export class StandIn {
  readonly store: Store;
  readonly faults = new Faults();
  readonly calls: string[] = [];
  /** Set: this one is a follower. */
  leader: Leader | undefined;
  /** `user:password`; whoever comes without it is sent away. */
  login: string | undefined;
  /** Whether that user is one of those who may read everything, `$all`. */
  readsAll = true;
  readonly #options: StandInOptions;
  readonly #id = randomUUID();
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

  /** For one node; `more` after a `&`. */
  url(more = ''): string {
    const { login } = this;
    const { tls } = this.#options;
    const user = login === undefined ? '' : `${login}@`;
    const plain = tls === undefined ? 'tls=false' : 'tls=true';
    // The first read waits so long before it dials.
    return `kurrentdb://${user}127.0.0.1:${this.#port}?${plain}&discoveryInterval=1${more}`;
  }

  /** The same port again after `stop`. */
  async start(): Promise<this> {
    const server = new Server({
      'grpc.max_receive_message_length': 20 * 1024 * 1024,
      'grpc.max_send_message_length': 20 * 1024 * 1024,
    });
    this.#addServices(server);
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.#port}`, this.#credentials(), (cause, port) =>
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

  #addServices(server: Server): void {
    const parts = {
      ...{ store: this.store, faults: this.faults },
      maxAppendBytes: this.#isOld ? 1024 * 1024 : 256 * 1024 * 1024,
      settled: this.#options.settled ?? (() => Promise.resolve()),
    };
    server.addService(StreamsServiceDefinition, {
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
    server.addService(RecordsService, {
      appendSession: (_: unknown, answer: sendUnaryData<object>) =>
        answer(new Refusal(status.UNIMPLEMENTED, 'not here')),
      appendRecords: (
        call: Parameters<typeof serveAppendRecords>[0],
        answer: Parameters<typeof serveAppendRecords>[1],
      ) => {
        if (!this.#knowsRecords) return answer(new Refusal(status.UNIMPLEMENTED, 'not here'));
        const refusal = this.#refusal('appendRecords', call.metadata);
        if (refusal !== undefined) return answer(refusal);
        serveAppendRecords(call, answer, parts);
      },
    });
    server.addService(ServerFeaturesService, {
      getSupportedMethods: (call: GreetingCall, answer: sendUnaryData<object>) => {
        this.calls.push('features');
        if (this.#isStranger(call.metadata)) return answer(notAuthenticated());
        if (take(this.faults, 'failFeatures')) {
          return answer(new Refusal(status.UNAVAILABLE, 'not yet'));
        }
        answer(null, supportedMethods(this.#methods(), this.#options.version ?? '26.1.0'));
      },
    });
    server.addService(GossipServiceDefinition, {
      read: (call: GreetingCall, answer: sendUnaryData<object>) => {
        this.calls.push('gossip');
        if (this.#isStranger(call.metadata)) return answer(notAuthenticated());
        const self = { id: this.#id, host: '127.0.0.1', port: this.#port };
        const { leader } = this;
        answer(
          null,
          clusterInfo([
            { ...self, isLeader: leader === undefined },
            ...(leader === undefined ? [] : [{ id: randomUUID(), ...leader, isLeader: true }]),
          ]),
        );
      },
    });
  }

  get #isOld(): boolean {
    return this.#isBefore(25, 1);
  }

  get #knowsRecords(): boolean {
    return !this.#isBefore(26, 1);
  }

  #isBefore(thatYear: number, thatMonth: number): boolean {
    const [year = 26, month = 1] = (this.#options.version ?? '26.1').split('.').map(Number);
    return year < thatYear || (year === thatYear && month < thatMonth);
  }

  #methods(): readonly Method[] {
    const read = { service: streamsService, method: 'read', features: ['position', 'events'] };
    const batch = {
      service: streamsService,
      method: 'batchappend',
      features: ['deadline_duration'],
    };
    return [
      read,
      ...(this.#options.takesBatches === false ? [] : [batch]),
      { service: streamsService, method: 'append' },
      { service: streamsService, method: 'delete' },
      ...(this.#knowsRecords ? [recordsMethod] : []),
    ];
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
    if (leader === undefined) return undefined;
    // A follower passes appends on, unless it is told not to; this one has no way to.
    if (what === 'read' && requiresLeader !== 'true') return undefined;
    if (what === 'appendRecords') return notLeaderV2();
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

  #delete(
    call: DeleteCall,
    answer: sendUnaryData<InstanceType<typeof streams.DeleteResp>>,
    isFinal: boolean,
  ): void {
    const refusal = this.#refusal('delete', call.metadata);
    if (refusal !== undefined) return answer(refusal);
    const { stream, expected } = toTarget(call.request.getOptions()!);
    const outcome = this.store.delete(stream, expected, isFinal);
    if (outcome.kind === 'deleted') return answer(streamDeleted(stream));
    if (outcome.kind === 'conflict') {
      const trailers = {
        exception: 'wrong-expected-version',
        'stream-name': stream,
        'expected-version': String({ any: -2, exists: -4 }[expected] ?? expected),
        'actual-version': String(outcome.current),
      };
      return answer(new Refusal(status.FAILED_PRECONDITION, 'Wrong Expected Version', trailers));
    }
    const Answer = isFinal ? streams.TombstoneResp : streams.DeleteResp;
    const position = new Answer.Position()
      .setCommitPosition(String(outcome.position))
      .setPreparePosition(String(outcome.position));
    const settled = this.#options.settled ?? (() => Promise.resolve());
    void settled().then(() => answer(null, new Answer().setPosition(position) as never));
  }
}

type GreetingCall = { readonly metadata: Metadata };
type DeleteCall = ServerUnaryCall<InstanceType<typeof streams.DeleteReq>, unknown>;

/** For a page with a filter a real server has no status of its own when its position is none. */
function inItsWords(cause: unknown, call: ReadCall): unknown {
  const options = call.request.getOptions()!;
  const isInvalid = cause instanceof Refusal && cause.details.includes('invalid position');
  if (!isInvalid || !options.hasFilter() || !options.hasCount()) return cause;
  const words = 'Unexpected FilteredReadAllResult: InvalidPosition >> Log record at actual pos';
  return new Refusal(status.UNKNOWN, words);
}

/** The call fails after its first answers. */
function breakOff(call: ReadCall): void {
  const write = call.write.bind(call);
  let left = 3;
  const given: typeof call.write = (answer: ReadResp) => {
    left -= 1;
    if (left < 0) throw new Refusal(status.UNAVAILABLE, 'broken on purpose');
    return write(answer);
  };
  call.write = given;
}

/** The store as `Read` is served from it. */
function sourceOf(store: Store, faults: Faults): EventSource {
  const bounds = (stream: string): Bounds | 'tombstoned' | undefined => {
    const kept = store.stream(stream);
    if (kept?.isTombstoned === true) return 'tombstoned';
    if (kept === undefined || kept.isDeleted || kept.events.length === 0) return undefined;
    return { first: kept.first, last: kept.events.length - 1 };
  };
  return {
    bounds: async (stream) => bounds(stream),
    async streamPage(stream, from, backwards, limit) {
      const { events = [], first = 0 } = store.stream(stream) ?? {};
      return backwards
        ? events.slice(Math.max(first, from + 1 - limit), from + 1).reverse()
        : events.slice(from, from + limit);
    },
    page: async (from, backwards, limit) => store.page(from, backwards, limit),
    isPosition: (position) => store.isPosition(position),
    head: async () => store.head(),
    onMoved: (listener) => store.onMoved(() => faults.mute || listener()),
  };
}
