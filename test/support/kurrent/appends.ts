/** How the stand-in hears appends, one by one or in a batch stream, and what it answers. */
import { createRequire } from 'node:module';
import {
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
} from '@grpc/grpc-js';
import type * as StatusPb from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js';
import type * as Streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type * as AnyPb from 'google-protobuf/google/protobuf/any_pb.js';
import type * as EmptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { toIdentifier, toUuid } from '../../../src/gateway/answers.ts';
import { shared, streams } from '../../../src/gateway/messages.ts';
import { Refusal, streamDeleted } from '../../../src/gateway/refusals.ts';
import { take, type Faults } from './faults.ts';
import type { Expected, Outcome, Proposed, Store } from './store.ts';

const load = createRequire(import.meta.url);
const { Any } = load('google-protobuf/google/protobuf/any_pb.js') as typeof AnyPb;
const { Empty } = load('google-protobuf/google/protobuf/empty_pb.js') as typeof EmptyPb;
const { Status } = load(
  '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js',
) as typeof StatusPb;

export type AppendParts = {
  readonly store: Store;
  readonly faults: Faults;
  /** Of one append, all its events. */
  readonly maxAppendBytes: number;
  /** Whether nobody leads. */
  readonly elects: () => boolean;
  /** Resolves when what was written is on disk. */
  readonly settled: () => Promise<void>;
};

type Batch = {
  stream: string;
  expected: Expected;
  /** When it is too late, by the client's clock. */
  until?: number;
  readonly events: Proposed[];
};
type BatchCall = ServerDuplexStream<Streams.BatchAppendReq, Streams.BatchAppendResp>;
type AppendCall = ServerReadableStream<Streams.AppendReq, Streams.AppendResp>;

export function serveBatchAppend(call: BatchCall, parts: AppendParts): void {
  const { faults } = parts;
  const batches = new Map<string, Batch>();
  let isCold = true;
  let overtaken: (() => void) | undefined;
  const conclude = (id: string, batch: Batch): void => {
    const answer = answerTo(batch, parts);
    if (answer === 'end') return void call.end();
    if (answer === 'silence') return;
    const { stream } = batch;
    answer.setCorrelationId(toUuid(id, 'string')).setStreamIdentifier(toIdentifier(stream));
    void parts.settled().then(() => call.writable && call.write(answer));
  };
  call.on('data', (request: Streams.BatchAppendReq) => {
    if (faults.deaf) return void call.pause();
    const id = idOf(request.getCorrelationId());
    const options = request.getOptions();
    const batch = batches.get(id) ?? { stream: '', expected: 'any', events: [] };
    batches.set(id, batch);
    if (options !== undefined) {
      const until = options.getDeadline21100()?.toDate().getTime();
      Object.assign(batch, toTarget(options), until === undefined ? {} : { until });
    }
    batch.events.push(...request.getProposedMessagesList().map(toProposed));
    if (!request.getIsFinal()) return;
    batches.delete(id);
    if (isCold && take(faults, 'overtakeCold')) overtaken = () => conclude(id, batch);
    else {
      conclude(id, batch);
      overtaken?.();
      overtaken = undefined;
    }
    isCold = false;
  });
  call.on('end', () => call.end());
  call.on('error', () => undefined);
}

const timedOut = () => failed(status.DEADLINE_EXCEEDED, 'Timeout', 'Timeout', new Uint8Array());

function answerTo(
  { stream, expected, events, until = Infinity }: Batch,
  parts: AppendParts,
): Streams.BatchAppendResp | 'silence' | 'end' {
  const { store, faults, maxAppendBytes } = parts;
  if (until <= Date.now() + faults.clockAheadMs) return timedOut();
  if (take(faults, 'endBatches')) return 'end';
  if (take(faults, 'dropAppends')) return 'silence';
  if (parts.elects() || take(faults, 'notReady'))
    return failed(status.UNAVAILABLE, 'Server Is Not Ready');
  if (bytesOf(events) > maxAppendBytes) {
    const details = new shared.MaximumAppendSizeExceeded().setMaxappendsize(maxAppendBytes);
    const bytes = details.serializeBinary();
    return failed(
      status.INVALID_ARGUMENT,
      'Maximum Append Size Exceeded',
      'MaximumAppendSizeExceeded',
      bytes,
    );
  }
  const before = store.length;
  const outcome = store.append(stream, expected, events);
  if (take(faults, 'loseAnswers')) return 'silence';
  if (take(faults, 'timeOut')) return timedOut();
  return told(outcome, expected, faults.forgetPositions && store.length === before);
}

function told(outcome: Outcome, expected: Expected, isForgetful: boolean): Streams.BatchAppendResp {
  if (outcome.kind === 'deleted') {
    return failed(status.FAILED_PRECONDITION, 'Stream Deleted', 'StreamDeleted', new Uint8Array());
  }
  if (outcome.kind === 'conflict') {
    const details = new shared.WrongExpectedVersion();
    if (outcome.current < 0) details.setCurrentNoStream(new Empty());
    else details.setCurrentStreamRevision(String(outcome.current));
    if (expected === -1) details.setExpectedNoStream(new Empty());
    else if (expected === 'any') details.setExpectedAny(new Empty());
    else if (expected === 'exists') details.setExpectedStreamExists(new Empty());
    else details.setExpectedStreamPosition(String(expected));
    const bytes = details.serializeBinary();
    return failed(status.ALREADY_EXISTS, 'Wrong Expected Version', 'WrongExpectedVersion', bytes);
  }
  const success = new streams.BatchAppendResp.Success().setCurrentRevision(
    String(outcome.revision),
  );
  if (isForgetful) success.setNoPosition(new Empty());
  else {
    const position = String(outcome.position);
    success.setPosition(
      new shared.AllStreamPosition().setCommitPosition(position).setPreparePosition(position),
    );
  }
  return new streams.BatchAppendResp().setSuccess(success);
}

function failed(
  code: status,
  message: string,
  details?: string,
  bytes: Uint8Array = new Uint8Array(),
): Streams.BatchAppendResp {
  const any = new Any();
  any.pack(
    bytes,
    details === undefined ? 'google.protobuf.Empty' : `event_store.client.${details}`,
  );
  return new streams.BatchAppendResp().setError(
    new Status()
      .setCode(code as never)
      .setMessage(message)
      .setDetails(any),
  );
}

/** The older way: a call for each append. */
export function serveAppend(
  call: AppendCall,
  answer: sendUnaryData<Streams.AppendResp>,
  parts: AppendParts,
): void {
  const { store, faults, maxAppendBytes } = parts;
  const batch: Batch = { stream: '', expected: 'any', events: [] };
  call.on('data', (request: Streams.AppendReq) => {
    const options = request.getOptions();
    const message = request.getProposedMessage();
    if (options !== undefined) Object.assign(batch, toTarget(options));
    if (message !== undefined) batch.events.push(toProposed(message));
  });
  call.on('error', () => undefined);
  call.on('end', () => {
    if (take(faults, 'dropAppends')) return;
    const { stream, expected, events } = batch;
    if (bytesOf(events) > maxAppendBytes) {
      const trailers = {
        exception: 'maximum-append-size-exceeded',
        'maximum-append-size': String(maxAppendBytes),
      };
      return answer(new Refusal(status.INVALID_ARGUMENT, 'Maximum Append Size Exceeded', trailers));
    }
    const outcome = store.append(stream, expected, events);
    if (take(faults, 'loseAnswers')) return;
    if (outcome.kind === 'deleted') return answer(streamDeleted(stream));
    void parts.settled().then(() => answer(null, toAppendResp(outcome, expected)));
  });
}

function toAppendResp(
  outcome: Exclude<Outcome, { kind: 'deleted' }>,
  expected: Expected,
): Streams.AppendResp {
  if (outcome.kind === 'written') {
    const position = new streams.AppendResp.Position()
      .setCommitPosition(String(outcome.position))
      .setPreparePosition(String(outcome.position));
    return new streams.AppendResp().setSuccess(
      new streams.AppendResp.Success()
        .setCurrentRevision(String(outcome.revision))
        .setPosition(position),
    );
  }
  const conflict = new streams.AppendResp.WrongExpectedVersion();
  if (outcome.current < 0) conflict.setCurrentNoStream(new shared.Empty());
  else conflict.setCurrentRevision(String(outcome.current));
  if (expected === -1) conflict.setExpectedNoStream(new shared.Empty());
  else if (typeof expected === 'number') conflict.setExpectedRevision(String(expected));
  return new streams.AppendResp().setWrongExpectedVersion(conflict);
}

type Target = {
  getStreamIdentifier(): { getStreamName_asU8(): Uint8Array } | undefined;
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
} & (
  | { hasStreamPosition(): boolean; getStreamPosition(): string }
  | { hasRevision(): boolean; getRevision(): string }
);

export function toTarget(options: Target): { stream: string; expected: Expected } {
  const stream = Buffer.from(options.getStreamIdentifier()!.getStreamName_asU8()).toString('utf8');
  if (options.hasNoStream()) return { stream, expected: -1 };
  if (options.hasStreamExists()) return { stream, expected: 'exists' };
  if ('hasRevision' in options) {
    return { stream, expected: options.hasRevision() ? Number(options.getRevision()) : 'any' };
  }
  const position = options.hasStreamPosition() ? Number(options.getStreamPosition()) : 'any';
  return { stream, expected: position };
}

type Message = Streams.AppendReq.ProposedMessage | Streams.BatchAppendReq.ProposedMessage;

function toProposed(message: Message): Proposed {
  const said = message.getMetadataMap();
  return {
    id: idOf(message.getId()),
    type: said.get('type') ?? '',
    isJson: said.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

function idOf(uuid: UuidMessage | undefined): string {
  if (uuid === undefined) return '';
  if (uuid.hasString()) return uuid.getString();
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64BE(BigInt(uuid.getStructured()!.getMostSignificantBits()), 0);
  bytes.writeBigInt64BE(BigInt(uuid.getStructured()!.getLeastSignificantBits()), 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

type UuidMessage = InstanceType<typeof shared.UUID>;

const bytesOf = (events: readonly Proposed[]): number =>
  events.reduce(
    (sum, { type, data, metadata }) =>
      sum + data.byteLength + metadata.byteLength + 2 * type.length,
    0,
  );
