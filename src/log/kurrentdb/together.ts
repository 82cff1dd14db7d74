/**
 * Appends to several streams in one, all or nothing and in the order given: `appendRecords`, which servers
 * understand from 26.1 on, also on condition that another stream does not exist; `multiStreamAppend` from 25.1 on,
 * which takes each stream once. Their answer to a repetition is yes, whatever has become of the condition.
 */
import type {
  AppendConsistencyViolationError,
  JSONEventData,
  KurrentDBClient,
  WrongExpectedVersionError,
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

/** `streams-once`: each stream at most once in an append, and no condition on any other. */
export type Togetherness = 'all' | 'streams-once' | 'none';

const service = '/kurrentdb.protocol.v2.streams.StreamsService';

/** As the server told the client at first contact. */
export async function togethernessOf(client: KurrentDBClient): Promise<Togetherness> {
  const { supports } = client as unknown as { supports(asked: object): Promise<boolean> };
  if (await supports({ path: `${service}/AppendRecords` })) return 'all';
  return (await supports({ path: `${service}/AppendSession` })) ? 'streams-once' : 'none';
}

export async function sendTogether(
  client: KurrentDBClient,
  writes: readonly StoredWrite[],
  unless: StreamName | undefined,
): Promise<Taken> {
  if (unless === undefined && (await togethernessOf(client)) === 'streams-once') {
    return sendOnce(client, writes);
  }
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
    expectedState: toState(expected),
  }));
  return lastOf(writes, await client.appendRecords(records, checks));
}

async function sendOnce(client: KurrentDBClient, writes: readonly StoredWrite[]): Promise<Taken> {
  const requests = writes.map(({ stream, expected, events }) => ({
    streamName: stream,
    expectedState: toState(expected),
    events: [...events],
  }));
  return lastOf(writes, await client.multiStreamAppend(requests));
}

const toState = (expected: Revision) =>
  expected === noStream ? ('no_stream' as const) : BigInt(expected);

type Told = {
  readonly position: bigint;
  readonly responses: readonly { readonly streamName: string; readonly revision: bigint }[];
};

function lastOf(writes: readonly StoredWrite[], { position, responses }: Told): Taken {
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
  const { violations = [cause as WrongExpectedVersionError] } =
    cause as Partial<AppendConsistencyViolationError>;
  if (violations.some(({ streamName }) => streamName === unless)) return fenced(unless!, cause);
  const violation = violations.find(({ streamName }) =>
    writes.some(({ stream }) => stream === streamName),
  );
  const { streamName: stream, actualState } = violation ?? violations[0]!;
  const write = writes.find((each) => each.stream === stream) ?? writes[0]!;
  const actual = typeof actualState === 'bigint' ? Number(actualState) : noStream;
  return new RevisionConflict(write.stream, write.expected, Math.max(noStream, actual));
}
