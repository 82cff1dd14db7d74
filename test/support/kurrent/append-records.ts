/**
 * Appends of the protocol's second version, as the stand-in serves them. `AppendRecords`: to several streams or to
 * none, under conditions that may name streams which are not written. `AppendSession`: to several streams, each once.
 */
import { createRequire } from 'node:module';
import {
  Metadata,
  status,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type * as StatusPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js';
import type * as Errors from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/errors_pb.js';
import type * as Streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_pb.js';
import type * as Service from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_grpc_pb.js';
import type * as AnyPb from 'google-protobuf/google/protobuf/any_pb.js';
import { Refusal } from '../../../src/gateway/refusals.ts';
import type { AppendParts } from './appends.ts';
import { take } from './faults.ts';
import type { Proposed } from './store.ts';
import type { Check, Violation } from './together.ts';

const load = createRequire(import.meta.url);
const v2 = '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams';
const { Any } = load('google-protobuf/google/protobuf/any_pb.js') as typeof AnyPb;
const { Status } = load(
  '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js',
) as typeof StatusPb;
const streams = load(`${v2}/streams_pb.js`) as typeof Streams;
const errors = load(`${v2}/errors_pb.js`) as typeof Errors;

export const { StreamsServiceService: RecordsService } = load(
  `${v2}/streams_grpc_pb.js`,
) as typeof Service;

const service = 'kurrentdb.protocol.v2.streams.StreamsService';
export const recordsMethod = { service, method: 'appendrecords' };
export const sessionMethod = { service, method: 'appendsession' };

type Call = ServerUnaryCall<Streams.AppendRecordsRequest, Streams.AppendRecordsResponse>;
type Answer = sendUnaryData<Streams.AppendRecordsResponse>;

export function serveAppendRecords({ request }: Call, answer: Answer, parts: AppendParts): void {
  const { store, faults } = parts;
  if (take(faults, 'dropAppends')) return;
  if (take(faults, 'notReady'))
    return answer(new Refusal(status.UNAVAILABLE, 'Server Is Not Ready'));
  const records = request.getRecordsList().map((record) => ({
    stream: record.getStream(),
    ...toProposed(record),
  }));
  if (records.length === 0) return answer(new Refusal(status.INVALID_ARGUMENT, 'no records'));
  const checks = request.getChecksList().map((check): Check => {
    const state = check.getStreamState()!;
    return { stream: state.getStream(), expected: Number(state.getExpectedState()) };
  });
  if (new Set(checks.map(({ stream }) => stream.toLowerCase())).size < checks.length) {
    return answer(
      new Refusal(status.INVALID_ARGUMENT, 'Each stream can only appear once in checks.'),
    );
  }
  const outcome = store.appendTogether(records, checks);
  if (take(faults, 'loseAnswers')) return;
  if (take(faults, 'timeOut')) return answer(new Refusal(status.DEADLINE_EXCEEDED, 'Timeout'));
  if ('violations' in outcome) return answer(violated(outcome.violations));
  const response = new streams.AppendRecordsResponse()
    .setPosition(String(outcome.position))
    .setRevisionsList(
      [...outcome.revisions].map(([stream, revision]) =>
        new streams.StreamRevision().setStream(stream).setRevision(String(revision)),
      ),
    );
  void parts.settled().then(() => answer(null, response));
}

type SessionCall = ServerReadableStream<Streams.AppendRequest, Streams.AppendSessionResponse>;

export function serveAppendSession(
  call: SessionCall,
  answer: sendUnaryData<Streams.AppendSessionResponse>,
  parts: AppendParts,
): void {
  const { store, faults } = parts;
  const requests: Streams.AppendRequest[] = [];
  call.on('data', (request: Streams.AppendRequest) => requests.push(request));
  call.on('error', () => undefined);
  call.on('end', () => {
    if (take(faults, 'dropAppends')) return;
    const checks = requests.map((request): Check => ({
      stream: request.getStream(),
      expected: Number(request.getExpectedRevision()),
    }));
    const twice = checks.find(({ stream }, n) => checks.findIndex((c) => c.stream === stream) < n);
    if (twice !== undefined) {
      const words = `Stream '${twice.stream}' is already part of this append session.`;
      return answer(new Refusal(status.ABORTED, words));
    }
    const records = requests.flatMap((request) =>
      request.getRecordsList().map((record) => ({
        stream: request.getStream(),
        ...toProposed(record),
      })),
    );
    const outcome = store.appendTogether(records, checks);
    if (take(faults, 'loseAnswers')) return;
    if ('violations' in outcome) return answer(conflict(outcome.violations[0]!));
    const response = new streams.AppendSessionResponse()
      .setPosition(String(outcome.position))
      .setOutputList(
        [...outcome.revisions].map(([stream, revision]) =>
          new streams.AppendResponse().setStream(stream).setStreamRevision(String(revision)),
        ),
      );
    void parts.settled().then(() => answer(null, response));
  });
}

function conflict({ stream, expected, actual }: Violation): Refusal {
  const details = new errors.StreamRevisionConflictErrorDetails()
    .setStream(stream)
    .setExpectedRevision(String(expected))
    .setActualRevision(String(Math.max(-1, actual)));
  return detailed(
    'Append failed due to a revision conflict.',
    'kurrentdb.protocol.v2.streams.errors.StreamRevisionConflictErrorDetails',
    details.serializeBinary(),
  );
}

function toProposed(record: Streams.AppendRecord): Proposed {
  const type = record.getSchema()!.getName();
  const isJson = record.getSchema()!.getFormat() === streams.SchemaFormat.SCHEMA_FORMAT_JSON;
  const said: Record<string, unknown> = {};
  record.getPropertiesMap().forEach((value, name) => (said[name] = value.getStringValue()));
  // So those who read in the old way find it.
  const schema = { '$schema.name': type, '$schema.format': isJson ? 'Json' : 'Bytes' };
  const metadata = Buffer.from(JSON.stringify({ ...said, ...schema }));
  return { id: record.getRecordId(), type, isJson, data: record.getData_asU8(), metadata } as never;
}

function violated(violations: readonly Violation[]): Refusal {
  const list = violations.map(({ index, stream, expected, actual }) =>
    new errors.ConsistencyViolation()
      .setCheckIndex(index)
      .setStreamState(
        new errors.ConsistencyViolation.StreamStateViolation()
          .setStream(stream)
          .setExpectedState(String(expected))
          .setActualState(String(actual)),
      ),
  );
  const details = new errors.AppendConsistencyViolationErrorDetails().setViolationsList(list);
  return detailed(
    'Append failed due to consistency violations.',
    'kurrentdb.protocol.v2.streams.errors.AppendConsistencyViolationErrorDetails',
    details.serializeBinary(),
  );
}

/** The client knows this answer by nothing: an error of no type, after which it dials nobody else. */
export const notLeaderV2 = (): Refusal =>
  detailed('The node is not the leader.', 'kurrent.rpc.NotLeaderNodeErrorDetails');

function detailed(message: string, type: string, bytes: Uint8Array = new Uint8Array()): Refusal {
  const any = new Any();
  any.pack(bytes, type);
  const said = new Status().setCode(status.FAILED_PRECONDITION as never).setMessage(message);
  const refusal = new Refusal(status.FAILED_PRECONDITION, message);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(said.setDetails(any).serializeBinary()));
  Object.assign(refusal, { metadata });
  return refusal;
}
