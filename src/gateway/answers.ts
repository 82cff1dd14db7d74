/** What `Read` says: messages of the protocol from events as a log holds them. */
import { streams, shared, timestamps, type ReadResp } from './messages.ts';
import type { UuidForm } from './question.ts';

/** An event as the protocol shows it. */
export type WireEvent = {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  /** Commit and prepare position: the same for everything of ours. */
  readonly position: number;
  readonly type: string;
  readonly isJson: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
};

/** Hundreds of nanoseconds in a millisecond: the event store's clock ticks so. */
const ticks = 10_000n;

const content = { json: 'application/json', binary: 'application/octet-stream' };

export function eventAnswer(event: WireEvent, uuids: UuidForm): ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  const position = String(event.position);
  recorded.setId(toUuid(event.id, uuids));
  recorded.setStreamIdentifier(toIdentifier(event.stream));
  recorded.setStreamRevision(String(event.revision));
  recorded.setCommitPosition(position);
  recorded.setPreparePosition(position);
  recorded.setData(event.data);
  recorded.setCustomMetadata(event.metadata);
  const said = recorded.getMetadataMap();
  said.set('type', event.type);
  said.set('content-type', event.isJson ? content.json : content.binary);
  said.set('created', String(BigInt(Math.trunc(event.created)) * ticks));
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(recorded);
  read.setCommitPosition(position);
  return new streams.ReadResp().setEvent(read);
}

export const confirmation = (id: string): ReadResp =>
  new streams.ReadResp().setConfirmation(
    new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(id),
  );

/** With a position for a subscription to the whole log, with a revision for one to a stream. */
export function caughtUp(at: { readonly position: number } | { readonly revision: number }) {
  const signal = new streams.ReadResp.CaughtUp().setTimestamp(now());
  if ('revision' in at) signal.setStreamRevision(String(at.revision));
  else signal.setPosition(toPosition(at.position));
  return new streams.ReadResp().setCaughtUp(signal);
}

export const checkpoint = (position: number): ReadResp =>
  new streams.ReadResp().setCheckpoint(
    new streams.ReadResp.Checkpoint()
      .setCommitPosition(String(position))
      .setPreparePosition(String(position))
      .setTimestamp(now()),
  );

export const streamNotFound = (stream: string): ReadResp =>
  new streams.ReadResp().setStreamNotFound(
    new streams.ReadResp.StreamNotFound().setStreamIdentifier(toIdentifier(stream)),
  );

export const firstOfStream = (revision: number): ReadResp =>
  new streams.ReadResp().setFirstStreamPosition(String(revision));

export const lastOfStream = (revision: number): ReadResp =>
  new streams.ReadResp().setLastStreamPosition(String(revision));

export const toIdentifier = (stream: string) =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8'));

export function toUuid(id: string, form: UuidForm) {
  if (form === 'string') return new shared.UUID().setString(id);
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  return new shared.UUID().setStructured(
    new shared.UUID.Structured()
      .setMostSignificantBits(String(bytes.readBigInt64BE(0)))
      .setLeastSignificantBits(String(bytes.readBigInt64BE(8))),
  );
}

const toPosition = (position: number) =>
  new streams.ReadResp.Position()
    .setCommitPosition(String(position))
    .setPreparePosition(String(position));

const now = () => timestamps.Timestamp.fromDate(new Date());
