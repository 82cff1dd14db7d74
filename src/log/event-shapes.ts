/**
 * What events of ours look like, as far as those who fold them rely on it. An event store takes events from
 * everybody who knows its password, and from releases newer than this one: what does not look so is passed
 * over and named, rather than stopping an engine or a desk for ever. Leases look after themselves (`nodes/leases.ts`).
 */
import type { RecordedEvent } from './ports.ts';

/** Why the event is none of ours, in words that hold nothing of it but its type; `undefined`: it may be one. */
export function oddityOf({
  stream,
  type,
  at,
  data,
}: Pick<RecordedEvent, 'stream' | 'type' | 'at' | 'data'>): string | undefined {
  if (!/^[\x21-\x7e]{1,300}$/.test(stream)) return 'a stream with a name that is none of ours';
  if (Math.abs(at) > lastInstant) return 'an event of no time that a calendar has';
  const [category, id] = [stream.slice(0, stream.indexOf('-')), stream.slice(8)];
  if (category === 'message' && !letterId.test(id)) return 'a letter with a name that is none';
  const looksRight = shapes[category]?.get(type);
  return looksRight === undefined || looksRight(data)
    ? undefined
    : `an event of type ${type} that does not look like one`;
}

const lastInstant = 8_640_000_000_000_000;
const letterId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Is = (value: unknown) => boolean;

const text: Is = (value) => typeof value === 'string';
/** One that SQLite and JSON give back as it was. */
const number: Is = (value) =>
  Number.isFinite(value) && Math.abs(value as number) <= Number.MAX_SAFE_INTEGER;
const index: Is = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const maybe =
  (is: Is): Is =>
  (value) =>
    value === undefined || is(value);
const list =
  (is: Is): Is =>
  (value) =>
    Array.isArray(value) && value.every(is);

function fields(wanted: Readonly<Record<string, Is>>): Is {
  const all = Object.entries(wanted);
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    all.every(([name, is]) => is((value as Readonly<Record<string, unknown>>)[name]));
}

const texts: Is = (value) =>
  fields({})(value) && Object.values(value as object).every((each) => text(each));

const tls = fields({ protocol: text, cipher: text });
const hop = fields({ host: text, relay: maybe(fields({ host: text, port: number })) });
const route = fields({ channel: text, hop, address: text, rule: text });
const byHand = { by: text, why: text };

const reply = fields({
  ...{ text, code: maybe(number), status: maybe(text), tls: maybe(tls) },
  ...{ host: maybe(text), address: maybe(text), port: maybe(number) },
});
const lines = fields({
  ...{ from: text, by: maybe(text), more: maybe(number) },
  done: list(fields({ line: number, kind: text, what: text, came: maybe(text) })),
});
const reached = fields({
  dns: maybe(list(fields({ asked: text, name: text, found: maybe(list(text)) }))),
  inVain: maybe(list(text)),
  passedBy: maybe(list(fields({ address: text, untilAt: number }))),
});
const tried = {
  ...{ rcpt: index, address: text, attempt: number, startedAt: number, reply },
  ...{ lines: maybe(lines), reached: maybe(reached) },
};
const arrival = fields({
  ...{ protocol: text, door: maybe(text), peer: maybe(text), peerHost: maybe(text) },
  ...{ helo: maybe(text), auth: maybe(text), messageId: maybe(text), tls: maybe(tls) },
  ...{ user: maybe(text), uid: maybe(number), size: maybe(number), droppedAt: maybe(number) },
});

const accepted = {
  ...{ arrival, owner: maybe(text) },
  envelope: fields({ returnPath: text, recipients: list(text) }),
  body: fields({ id: text, bytes: number, sha256: text }),
  parent: maybe(fields({ message: text, why: text })),
};

const table = (of: Readonly<Record<string, Readonly<Record<string, Is>>>>) =>
  new Map(Object.entries(of).map(([type, wanted]): [string, Is] => [type, fields(wanted)]));

const letters = table({
  MessageAccepted: accepted,
  MessageAdopted: { by: text, from: maybe(text) },
  MessageQueued: { routes: list(route), controls: text },
  AttemptStarted: {
    ...{
      attempt: number,
      rcpts: list(index),
      routes: list(route),
      controls: text,
      untilAt: number,
    },
  },
  RecipientDelivered: { ...tried, children: maybe(list(text)) },
  RecipientDeferred: { ...tried, dueAt: number },
  RecipientFailed: tried,
  MessageSettled: { failed: list(index) },
  BounceQueued: { child: text, kind: text, to: text },
  BounceDiscarded: { why: text },
  MessageCleanedUp: { body: text },
  RetryRequested: { ...byHand, rcpts: list(index) },
  MessageHeld: byHand,
  MessageReleased: byHand,
  RecipientRedirected: { ...byHand, rcpt: index, to: text },
  RecipientCancelled: { ...byHand, rcpt: index, address: text },
});

const starts = table({
  NodeStarted: { node: text, version: text },
  ControlsLoaded: { digest: text, files: texts },
  RetryAllRequested: byHand,
  RoleLost: { role: text, how: text },
  LogTroubled: { code: text, what: text },
  LogRecovered: { troubledAt: number },
  LogVerified: { what: text },
  NodeStopped: { why: text },
});

const refusals = table({
  Refused: {
    ...{ peer: text, reply: text },
    ...{ helo: maybe(text), returnPath: maybe(text), recipient: maybe(text) },
  },
  RefusalsSuppressed: { count: number },
});

const shapes: { readonly [category: string]: ReadonlyMap<string, Is> } = {
  ...{ message: letters, node: starts, door: refusals },
};
