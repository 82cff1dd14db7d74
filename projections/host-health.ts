/** How the hosts do that we deliver to: how often, how fast, and since when it goes wrong. */
import type { Given, Happening, Question } from '../src/ask/ports.ts';
import type { MessageId } from '../src/mail/envelope.ts';
import type { Instant } from '../src/platform/clock.ts';
import { messageOf, type Route } from '../src/queue/events.ts';

export type Host = {
  delivered: number;
  deferred: number;
  failed: number;
  /** Of all attempts, milliseconds. */
  took: number;
  lastAt: Instant;
  lastDelivered: Instant | undefined;
  /** The first deferral since the last time that it answered yes or no. */
  troubledSince: Instant | undefined;
  /** The last deferral's words. */
  lastTrouble: string;
};

export type Health = {
  readonly hosts: Map<string, Host>;
  /** Hosts of attempts under way, by `<message>/<attempt>`; with how many recipients are still open. */
  readonly underWay: Map<string, { readonly host: string; open: number }>;
  readonly keep: number;
  readonly limit: number;
};

export const question: Question<Health> = {
  title: "Hosts' health",
  about:
    'next hops by troubles first: attempts by outcome, the average seconds of one, the last delivery, ' +
    'since when everything is deferred, and what was said',
  bounds:
    'exact for --keep hosts; beyond that those not heard of for the longest time are forgotten; 600 bytes each',
  options: {
    keep: { kind: 'number', about: 'how many hosts to remember', default: '10000' },
    limit: { kind: 'number', about: 'at most so many rows', default: '200' },
  },
  hears: ['AttemptStarted', 'RecipientDelivered', 'RecipientDeferred', 'RecipientFailed'],
  empty: ({ keep, limit }: Given): Health => ({
    ...{ hosts: new Map(), underWay: new Map() },
    ...{ keep: Math.max(1, Number(keep ?? 10_000)), limit: Number(limit ?? 200) },
  }),
  fold(health: Health, event: Happening) {
    const message = messageOf(event.stream);
    if (message !== undefined) foldLetter(health, message, event);
    return health;
  },
  answer: (health, { now }) => ({
    kind: 'table',
    columns: [
      { name: 'state' },
      { name: 'for', format: 'span' },
      { name: 'delivered', format: 'count' },
      { name: 'deferred', format: 'count' },
      { name: 'failed', format: 'count' },
      { name: 'average', format: 'seconds' },
      { name: 'last delivery', format: 'instant' },
      { name: 'host' },
      { name: 'last trouble' },
    ],
    rows: [...health.hosts]
      .sort(([, one], [, two]) => rank(one) - rank(two) || triesOf(two) - triesOf(one))
      .slice(0, health.limit)
      .map(([name, host]) => [
        host.troubledSince === undefined ? 'well' : 'troubled',
        host.troubledSince === undefined ? undefined : now - host.troubledSince,
        ...[host.delivered, host.deferred, host.failed],
        triesOf(host) === 0 ? undefined : host.took / triesOf(host) / 1000,
        ...[host.lastDelivered, name, host.troubledSince === undefined ? '' : host.lastTrouble],
      ]),
  }),
};
export const { empty, fold } = question;

const triesOf = ({ delivered, deferred, failed }: Host): number => delivered + deferred + failed;
const rank = ({ troubledSince }: Host): number => troubledSince ?? Infinity;

function foldLetter(health: Health, message: MessageId, event: Happening): void {
  switch (event.type) {
    case 'AttemptStarted': {
      const [route] = event.data.routes;
      if (route?.channel !== 'remote') return;
      const key = `${message}/${event.data.attempt}`;
      health.underWay.set(key, { host: hostOf(route), open: event.data.rcpts.length });
      return;
    }
    case 'RecipientDelivered':
    case 'RecipientDeferred':
    case 'RecipientFailed': {
      const key = `${message}/${event.data.attempt}`;
      const attempt = health.underWay.get(key);
      if (attempt === undefined) return;
      attempt.open -= 1;
      if (attempt.open === 0) health.underWay.delete(key);
      judge(hostIn(health, attempt.host), event);
      return;
    }
    default:
  }
}

type Verdict = Extract<
  Happening,
  { type: 'RecipientDelivered' | 'RecipientDeferred' | 'RecipientFailed' }
>;

function judge(host: Host, { type, at, data }: Verdict): void {
  host.took += at - data.startedAt;
  host.lastAt = at;
  if (type === 'RecipientDeferred') {
    host.deferred += 1;
    host.troubledSince ??= at;
    // A copy: a piece of a long text would keep all of it.
    host.lastTrouble = Buffer.from(data.reply.text.slice(0, 200)).toString();
    return;
  }
  // A letter that was too old for another try says nothing about the host, either way.
  const isOld = type === 'RecipientFailed' && data.expired === true;
  if (!isOld) host.troubledSince = undefined;
  if (type === 'RecipientFailed') host.failed += 1;
  else {
    host.delivered += 1;
    host.lastDelivered = at;
  }
}

const hostOf = ({ hop }: Route): string =>
  hop.relay === undefined ? hop.host.toLowerCase() : `${hop.relay.host}:${hop.relay.port}`;

function hostIn(health: Health, name: string): Host {
  const known = health.hosts.get(name);
  if (known !== undefined) return known;
  if (health.hosts.size >= 2 * health.keep) forget(health);
  const fresh: Host = {
    ...{ delivered: 0, deferred: 0, failed: 0, took: 0, lastAt: 0, lastTrouble: '' },
    ...{ lastDelivered: undefined, troubledSince: undefined },
  };
  health.hosts.set(name, fresh);
  return fresh;
}

function forget({ hosts, keep }: Health): void {
  const byAge = [...hosts].sort(([, one], [, two]) => two.lastAt - one.lastAt);
  for (const [name] of byAge.slice(keep)) hosts.delete(name);
}
