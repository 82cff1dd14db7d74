/**
 * The event store's messages and services, as the official client's package generated them for itself: the
 * same code on both ends of the wire. Loading this file loads gRPC; only who serves the protocol does.
 */
import { createRequire } from 'node:module';
import type * as Features from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import type * as FeaturesService from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import type * as Gossip from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/gossip_pb.js';
import type * as GossipService from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/gossip_grpc_pb.js';
import type * as Shared from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import type * as Streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type * as StreamsService from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import type * as Timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';

const load = createRequire(import.meta.url);
const v1 = '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1';

export const features = load(`${v1}/serverfeatures_pb.js`) as typeof Features;
export const gossip = load(`${v1}/gossip_pb.js`) as typeof Gossip;
export const shared = load(`${v1}/shared_pb.js`) as typeof Shared;
export const streams = load(`${v1}/streams_pb.js`) as typeof Streams;
export const timestamps = load(
  'google-protobuf/google/protobuf/timestamp_pb.js',
) as typeof Timestamps;

export const { ServerFeaturesService } = load(
  `${v1}/serverfeatures_grpc_pb.js`,
) as typeof FeaturesService;
export const { GossipService: GossipServiceDefinition } = load(
  `${v1}/gossip_grpc_pb.js`,
) as typeof GossipService;
export const { StreamsService: StreamsServiceDefinition } = load(
  `${v1}/streams_grpc_pb.js`,
) as typeof StreamsService;

export type {
  ReadReq,
  ReadResp,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
