/**
 * Appends to several streams in one, and on condition that another does not exist: `appendRecords`, which servers
 * understand from 26.1 on. Their answer to a repetition is yes, whatever has become of the condition.
 */
import type {
  AppendConsistencyViolationError,
  JSONEventData,
  KurrentDBClient,
} from '@kurrent/kurrentdb-client';
import { RevisionConflict, type Trouble } from '../../mail/trouble.ts';
import { fenced } from '../fenced.ts';
import { noStream, type Revision, type StreamName } from '../ports.ts';
import type { Taken } from './appends.ts';

export type StoredWrite = {
  readonly stream: StreamName;
  readonly expected: Revision;
  readonly events: readonly JSONEventData[];
};

const method = { path: '/kurrentdb.protocol.v2.streams.StreamsService/AppendRecords' };

/** As the server told the client at first contact. */
export function isUnderstood(client: KurrentDBClient): Promise<boolean> {
  const { supports } = client as unknown as { supports(asked: typeof method): Promise<boolean> };
  return supports(method);
}

export async function sendTogether(
  client: KurrentDBClient,
  writes: readonly StoredWrite[],
  unless: StreamName | undefined,
): Promise<Taken> {
  const records = writes.flatMap(({ stream, events }) =>
    events.map((record) => ({ streamName: stream, record })),
  );
  // A stream may be written more than once; what is expected of it is what the first write expects.
  const first = new Map(writes.toReversed().map(({ stream, expected }) => [stream, expected]));
  const states = [
    ...[...first].map(([streamName, expected]) => ({ streamName, expected })),
    ...(unless === undefined ? [] : [{ streamName: unless, expected: noStream }]),
  ];
  const checks = states.map(({ streamName, expected }) => ({
    type: 'stream_state' as const,
    streamName,
    expectedState: expected === noStream ? ('no_stream' as const) : BigInt(expected),
  }));
  const { position, responses } = await client.appendRecords(records, checks);
  const last = responses.find(({ streamName }) => streamName === writes.at(-1)!.stream);
  if (last === undefined) throw new Error('the event store does not say where it wrote');
  return { revision: Number(last.revision), position: position < 0n ? undefined : position };
}

/** Which of its conditions kept an append from being written. */
export function refusedTogether(
  cause: unknown,
  writes: readonly StoredWrite[],
  unless: StreamName | undefined,
): Trouble {
  const { violations } = cause as AppendConsistencyViolationError;
  if (violations.some(({ streamName }) => streamName === unless)) return fenced(unless!, cause);
  const violation = violations.find(({ streamName }) =>
    writes.some(({ stream }) => stream === streamName),
  );
  const { streamName: stream, actualState } = violation ?? violations[0]!;
  const write = writes.find((each) => each.stream === stream) ?? writes[0]!;
  const actual = typeof actualState === 'bigint' ? Number(actualState) : noStream;
  return new RevisionConflict(write.stream, write.expected, Math.max(noStream, actual));
}
