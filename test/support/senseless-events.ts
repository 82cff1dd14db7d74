/** Events of letters that have the shape of ours and no sense: any order, any numbers, of letters that never were. */
import fc from 'fast-check';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { QueueEventType } from '../../src/queue/events.ts';
import { birth } from './queue-mail.ts';
import { idOf } from './random-letters.ts';

/** Most of them near those of real letters, or nothing but the first check would ever be reached. */
const number = fc.oneof(
  { weight: 8, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1e9, 2 ** 53, -8.64e15, 1e300) },
);
const index = fc.oneof(
  { weight: 8, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.constantFrom(255, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1) },
);
const instant = fc.oneof(
  fc.integer({ min: birth - 1_000, max: birth + 1_000_000 }),
  fc.constantFrom(0, -8.64e15, 8.64e15, 1e300, birth + 0.5),
);
const text = fc.oneof(
  fc.constantFrom('', 'a@b.test', '@', 'joe-list@here.test', 'x\u0000\u001b[2J\n\ud800', '../..'),
  fc.string({ maxLength: 8 }),
);
const message = fc.oneof(fc.nat(2).map(idOf), text);
const route = fc.record(
  {
    channel: fc.oneof(fc.constantFrom('local', 'remote'), text),
    hop: fc.record(
      { host: text, relay: fc.record({ host: text, port: number }) },
      { requiredKeys: ['host'] },
    ),
    ...{ address: text, rule: text },
  },
  { noNullPrototype: true },
);
const reply = fc.record(
  { text, code: number, status: text, host: text, address: text, port: number },
  { requiredKeys: ['text'] },
);
const hand = { by: text, why: text };
const tried = {
  ...{ rcpt: index, address: text, attempt: number, startedAt: instant, reply },
};
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 4 });
const doubt = fc.constantFrom(true as const, undefined);

const data: { readonly [Type in QueueEventType]: fc.Arbitrary<object> } = {
  MessageAccepted: fc.record(
    {
      envelope: fc.record({ returnPath: text, recipients: some(text) }),
      body: fc.record({ id: fc.oneof(message, fc.constant('')), bytes: number, sha256: text }),
      arrival: fc.record({ protocol: text, peer: text, size: number }),
      parent: fc.record({ message, why: text }),
      owner: text,
    },
    { requiredKeys: ['envelope', 'body', 'arrival'] },
  ),
  MessageAdopted: fc.record({ by: text, from: text }, { requiredKeys: ['by'] }),
  MessageQueued: fc.record({ routes: some(route), controls: text }),
  AttemptStarted: fc.record({
    ...{ attempt: number, rcpts: some(index), routes: some(route), controls: text },
    ...{ why: fc.constantFrom('first', 'retry', 'asked'), last: fc.boolean(), untilAt: instant },
  }),
  RecipientDelivered: fc.record(
    { ...tried, children: some(message) },
    { requiredKeys: ['rcpt', 'address', 'attempt', 'startedAt', 'reply'] },
  ),
  RecipientDeferred: fc.record({ ...tried, dueAt: instant, doubt }),
  RecipientFailed: fc.record({ ...tried, expired: doubt, doubt }),
  MessageSettled: fc.record({ failed: some(index) }),
  BounceQueued: fc.record({ child: message, kind: text, to: text }),
  BounceDiscarded: fc.record({ why: text }),
  MessageCleanedUp: fc.record({ body: message }),
  RetryRequested: fc.record({ ...hand, rcpts: some(index) }),
  MessageHeld: fc.record(hand),
  MessageReleased: fc.record(hand),
  RecipientRedirected: fc.record({ ...hand, rcpt: index, to: text }),
  RecipientCancelled: fc.record({ ...hand, rcpt: index, address: text }),
};

const happening = fc.oneof(
  ...Object.entries(data).map(([type, arbitrary]) =>
    arbitrary.map((each) => ({ type, v: 1, data: JSON.parse(JSON.stringify(each)) as object })),
  ),
);

const step = fc.record({ letter: fc.nat(2), at: instant, event: happening });

/** As they would stand in a log. */
export const senseless: fc.Arbitrary<readonly RecordedEvent[]> = fc
  .array(step, { minLength: 1, maxLength: 25 })
  .map((steps) => numbered(steps.map(({ letter, at, event }) => ({ ...event, at, letter }))));

type Unplaced = Pick<RecordedEvent, 'type' | 'v' | 'data' | 'at'> & { readonly letter: number };

/** In one log, one after the other. */
export function numbered(events: readonly Unplaced[]): readonly RecordedEvent[] {
  const revisions = new Map<number, number>();
  return events.map(({ letter, ...event }, no) => {
    const revision = revisions.get(letter) ?? 0;
    revisions.set(letter, revision + 1);
    return { ...event, stream: `message-${idOf(letter)}`, revision, position: no + 1 };
  });
}

/** Among the events of a sound letter: after so many of them, others of its stream, then the rest. */
export const spoilt = (sound: readonly RecordedEvent[]): fc.Arbitrary<readonly RecordedEvent[]> =>
  fc
    .array(fc.record({ after: fc.nat(sound.length), event: happening, at: instant }), {
      ...{ minLength: 1, maxLength: 4 },
    })
    .map((foreign) => {
      const all: Unplaced[] = [];
      for (let no = 0; no <= sound.length; no += 1) {
        for (const { after, event, at } of foreign) {
          if (after === no)
            all.push({ ...event, at, letter: letterOf(sound[no] ?? sound.at(-1)!) });
        }
        const own = sound[no];
        if (own !== undefined) all.push({ ...own, letter: letterOf(own) });
      }
      return numbered(all);
    });

const letterOf = ({ stream }: RecordedEvent): number => {
  const found = Array.from({ length: 10 }, (_, no) => no).find((no) => stream.endsWith(idOf(no)));
  return found ?? 0;
};
