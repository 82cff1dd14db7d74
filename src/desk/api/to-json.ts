/** Answers as the API spells them: instants in ISO 8601, nothing that is `undefined`. Pure. */
import type { RecordedEvent } from '../../log/ports.ts';
import type { MessageId } from '../../mail/envelope.ts';
import type { Instant } from '../../platform/clock.ts';
import { formatReason } from '../../trace/reason-words.ts';
import type { Reason } from '../../trace/reason.ts';
import { statusOf, type Found } from '../../trace/search.ts';
import { formatInstant } from '../../trace/words.ts';
import type { HostHealth, TrafficStep, ViewsStatus } from '../../views/ports.ts';
import type { NodeSeen, QueueEntry, QueueThen } from '../ports.ts';

export const iso = (at: Instant): string => formatInstant(at, 'ms');

const maybe = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V });

/** `nodeOf`: which node has a letter now; absent for a queue of the past. */
export const toQueue = (
  { at, position, counts, entries }: QueueThen,
  nodeOf: (message: MessageId) => string | undefined = () => undefined,
) => ({
  ...{ at: iso(at), position, counts },
  entries: entries.map((entry) => toEntry(entry, nodeOf(entry.message))),
});

function toEntry(
  { message, rcpt, status, lane, due, letter }: QueueEntry,
  node: string | undefined,
) {
  const recipient = letter.recipients[rcpt];
  const [channel, ...name] = lane.split(' ');
  const { held } = letter;
  return {
    ...{ message, recipient: rcpt, status, lane: name.join(' ') },
    channel: channel === 'local' ? ('local' as const) : ('remote' as const),
    address: recipient?.address ?? '',
    returnPath: letter.returnPath,
    dueAt: iso(due),
    acceptedAt: iso(letter.birth),
    bytes: letter.bytes,
    attempts: recipient?.tries ?? 0,
    ...maybe('node', node),
    ...maybe(
      'startedAt',
      recipient?.startedAt === undefined ? undefined : iso(recipient.startedAt),
    ),
    ...maybe('lastReply', recipient?.lastReply && { ...recipient.lastReply }),
    ...maybe('setAside', letter.odd),
    ...maybe('held', held && { by: held.by, why: held.why, at: iso(held.at) }),
  };
}

export const toFound = (letter: Found) => ({
  ...{ message: letter.message, acceptedAt: iso(letter.at), status: statusOf(letter) },
  ...{ returnPath: letter.returnPath, bytes: letter.bytes, done: letter.done },
  ...maybe('parent', letter.parent),
  recipients: letter.recipients.map(({ address, formerly, status, attempts, reply }) => ({
    ...{ address, status, attempts },
    ...(formerly.length === 0 ? {} : { formerly: [...formerly] }),
    ...maybe('reply', reply),
  })),
});

export const toEvent = ({ position, stream, revision, type, v, at, data }: RecordedEvent) => ({
  ...{ position, stream, revision, type, v, at: iso(at), data },
});

export const toStep = ({ at, accepted, bytes, delivered, deferred, failed }: TrafficStep) => ({
  ...{ at: iso(at), accepted, bytes, delivered, deferred, failed },
});

export const toHost = ({ host, delivered, deferred, failed, ...last }: HostHealth) => ({
  ...{ host, delivered, deferred, failed },
  ...maybe('meanMs', last.meanMs),
  ...maybe('lastAt', last.lastAt === undefined ? undefined : iso(last.lastAt)),
  ...maybe('lastTrouble', last.lastTrouble),
});

export const toViews = ({ position, head, letters, lacksFrom }: ViewsStatus) => ({
  ...{ position, head, letters },
  ...maybe('lacksFrom', lacksFrom === undefined ? undefined : iso(lacksFrom)),
});

export function toNode({ node, status, letters, openedAt, lease }: NodeSeen, now: Instant) {
  const about = lease && {
    ...{ incarnation: lease.incarnation, heardAt: iso(lease.heardAt) },
    ...{ beatMs: lease.beatMs, ttlMs: lease.ttlMs },
    ...(status === 'open' || status === 'draining'
      ? { silent: now - lease.heardAt > lease.ttlMs }
      : {}),
    ...(lease.taken === undefined ? {} : { taken: { ...lease.taken }, heir: lease.heir }),
  };
  const opened = openedAt === undefined ? undefined : iso(openedAt);
  return { node, status, letters, ...maybe('openedAt', opened), ...about };
}

/** Every instant in a reason is a field whose name ends in `At`, or `at`, `birth`, `from`, `to`, `until`. */
const isInstant = /(At$|^at$|^birth$)/;

export function toReason(reason: Reason, now: Instant) {
  const plain = JSON.parse(JSON.stringify(reason), (key, value: unknown) =>
    typeof value === 'number' && isInstant.test(key) ? iso(value) : value,
  ) as Pick<Reason, 'message' | 'recipient' | 'address' | 'status' | 'waitsFor'>;
  return { ...plain, sentences: [...formatReason(reason, now)] };
}
