/**
 * The log as a standard event store client sees it: who follows a KurrentDB cluster follows a single Waybill
 * in the same way, in any language. Reads and subscriptions only; every write is refused.
 * Who may read, a doorkeeper says.
 */
import { randomUUID } from 'node:crypto';
import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { LogReader } from '../log/ports.ts';
import { isTrouble } from '../mail/trouble.ts';
import { admit, type Doorkeeper, type Place } from './doorkeeper.ts';
import { fewCalls } from './few-calls.ts';
import { listenForFew } from './few-connections.ts';
import { clusterInfo, supportedMethods } from './greetings.ts';
import { logSource } from './log-source.ts';
import {
  GossipServiceDefinition,
  ServerFeaturesService,
  StreamsServiceDefinition,
} from './messages.ts';
import { serveRead, type EventSource, type ReadCall } from './read.ts';
import { accessDenied, Refusal } from './refusals.ts';

export type Gateway = {
  readonly port: number;
  /** Ends every connection: whoever comes again is asked again who he is. */
  hangUp(): void;
  close(): Promise<void>;
};

export type GatewayParts = {
  readonly log: LogReader;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM texts; absent: in the clear. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly mayRead: Doorkeeper;
  /** What a call failed for, other than the client's own mistake. */
  readonly onTrouble: (cause: unknown) => void;
};

/** What clients are told: a release whose protocol this is; some parse it as three numbers. */
const version = '26.1.0';

const methods = [
  {
    service: 'event_store.client.streams.streams',
    method: 'read',
    features: ['position', 'events'],
  },
  { service: 'event_store.client.gossip.gossip', method: 'read' },
  {
    service: 'event_store.client.server_features.serverfeatures',
    method: 'getsupportedmethods',
  },
];

/** As the event store's own limit, and some room. */
const answerBytes = 20 * 1024 * 1024;

/**
 * A question names a stream and a filter. More is read only from those who would append, which nobody may; and it
 * is all in memory before anybody is asked who he is.
 */
const questionBytes = 16 * 1024;

/** Calls under way on one connection; a client that wants more waits, or opens another. */
const callsAtOnce = 100;

/** Rejects when it cannot listen there. */
export async function openGateway(parts: GatewayParts): Promise<Gateway> {
  const { log, host, port, tls } = parts;
  const server = new Server({
    'grpc.max_receive_message_length': questionBytes,
    'grpc.max_send_message_length': answerBytes,
    'grpc.max_concurrent_streams': callsAtOnce,
    interceptors: [fewCalls((peer) => listening.hangUp(peer))],
  });
  const source = logSource(log);
  const here = { address: host, port };
  addReading(server, source, here, parts);
  addGreetings(server, here);
  const injector = server.createConnectionInjector(credentialsOf(tls));
  const listening = await listenForFew({ host, port }, (socket) =>
    injector.injectConnection(socket),
  );
  here.port = listening.port;
  return {
    port: here.port,
    hangUp: () => listening.hangUp(),
    async close() {
      source.close();
      // Subscriptions have no end of their own.
      server.forceShutdown();
      listening.close();
    },
  };
}

const credentialsOf = (tls: GatewayParts['tls']): ServerCredentials =>
  tls === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) },
      ]);

function addReading(
  server: Server,
  source: EventSource,
  here: Place,
  { mayRead, onTrouble }: GatewayParts,
): void {
  const serve = async (call: ReadCall): Promise<void> => {
    await admit(call, here, mayRead);
    await serveRead(call, source);
  };
  const refuse = (_: unknown, answer: sendUnaryData<never>): void => answer(accessDenied());
  server.addService(StreamsServiceDefinition, {
    read: (call: ReadCall) => {
      call.on('error', () => undefined);
      serve(call).catch((cause: unknown) => {
        if (!(cause instanceof Refusal)) onTrouble(cause);
        call.emit('error', refusalFor(cause));
      });
    },
    append: refuse,
    delete: refuse,
    tombstone: refuse,
    batchAppend: (call: ServerDuplexStream<unknown, unknown>) => {
      call.on('error', () => undefined);
      call.emit('error', accessDenied());
    },
  });
}

/** In words that say nothing of files and machines. */
function refusalFor(cause: unknown): Refusal {
  if (cause instanceof Refusal) return cause;
  if (isTrouble(cause, 'log-damaged')) {
    return new Refusal(status.DATA_LOSS, 'an event of this stream is damaged');
  }
  return new Refusal(status.UNAVAILABLE, 'the log cannot be read now');
}

type GossipCall = ServerUnaryCall<unknown, never>;

/** They tell nothing of the log, and clients ask them without their names. */
function addGreetings(server: Server, here: Place): void {
  const id = randomUUID();
  server.addService(ServerFeaturesService, {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<object>) =>
      answer(null, supportedMethods(methods, version)),
  });
  server.addService(GossipServiceDefinition, {
    read: (call: GossipCall, answer: sendUnaryData<object>) => {
      const { address, port } = here;
      const self = { host: isEverywhere(address) ? hostOf(call) : address, port };
      answer(null, clusterInfo([{ id, ...self, isLeader: true }]));
    },
  });
}

const isEverywhere = (host: string): boolean => host === '::' || host === '0.0.0.0';

/** As the client knows us. */
const hostOf = (call: GossipCall): string =>
  call
    .getHost()
    .replace(/:[0-9]+$/, '')
    .replace(/^\[|\]$/g, '');
