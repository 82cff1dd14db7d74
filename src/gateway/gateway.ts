/**
 * The log as a standard event store client sees it: who follows a KurrentDB cluster follows a single Waybill
 * in the same way, in any language. Reads and subscriptions only; every write is refused.
 *
 * Nobody is asked who he is, and nothing is encrypted: it listens where only those who may read the log are.
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
import { clusterInfo, supportedMethods } from './greetings.ts';
import { logSource } from './log-source.ts';
import {
  GossipServiceDefinition,
  ServerFeaturesService,
  StreamsServiceDefinition,
} from './messages.ts';
import { serveRead, type EventSource, type ReadCall } from './read.ts';
import { accessDenied, Refusal } from './refusals.ts';

export type Gateway = { readonly port: number; close(): Promise<void> };

export type GatewayParts = {
  readonly log: LogReader;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
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
const messageBytes = 20 * 1024 * 1024;

/** Rejects when it cannot listen there. */
export async function openGateway({ log, host, port, onTrouble }: GatewayParts): Promise<Gateway> {
  const server = new Server({
    'grpc.max_receive_message_length': messageBytes,
    'grpc.max_send_message_length': messageBytes,
  });
  const source = logSource(log);
  const bound = { host, port };
  addReading(server, source, onTrouble);
  addGreetings(server, () => bound);
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  bound.port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, got) =>
      cause === null ? resolve(got) : reject(cause),
    );
  });
  return {
    port: bound.port,
    async close() {
      source.close();
      // Subscriptions have no end of their own.
      server.forceShutdown();
    },
  };
}

function addReading(
  server: Server,
  source: EventSource,
  onTrouble: GatewayParts['onTrouble'],
): void {
  const refuse = (_: unknown, answer: sendUnaryData<never>): void => answer(accessDenied());
  server.addService(StreamsServiceDefinition, {
    read: (call: ReadCall) => {
      call.on('error', () => undefined);
      serveRead(call, source).catch((cause: unknown) => {
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

function addGreetings(
  server: Server,
  bound: () => { readonly host: string; readonly port: number },
): void {
  const id = randomUUID();
  server.addService(ServerFeaturesService, {
    getSupportedMethods: (_: unknown, answer: sendUnaryData<object>) =>
      answer(null, supportedMethods(methods, version)),
  });
  server.addService(GossipServiceDefinition, {
    read: (call: GossipCall, answer: sendUnaryData<object>) => {
      const { host, port } = bound();
      const self = { host: isEverywhere(host) ? hostOf(call) : host, port };
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
