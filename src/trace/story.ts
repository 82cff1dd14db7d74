/** One letter's events as lines that a person understands. Pure; a stranger's text comes out as one harmless line. */
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, Arrival, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { QueueEvent, Route, Tried } from '../queue/events.ts';
import { toAsciiJson } from './json.ts';
import {
  count,
  formatHand,
  formatInstant,
  formatParty,
  formatReply,
  formatSpan,
  safe,
} from './words.ts';

export type StoryLine = {
  readonly at: Instant;
  readonly text: string;
  /** What belongs to it, a line each. */
  readonly more: readonly string[];
};

/** Tells one letter's events in order; remembers birth and addresses between them. */
export function storyTeller(): (event: RecordedEvent) => StoryLine {
  const known: Known = { birth: undefined, addresses: [] };
  return (event) => {
    const [text, ...more] = tellSafely(event as RecordedEvent & QueueEvent, known);
    return { at: event.at, text, more };
  };
}

/** What is not of the shape that its type has is told as it stands. */
function tellSafely(event: RecordedEvent & QueueEvent, known: Known): Told {
  try {
    return tell(event, known);
  } catch {
    return asItStands(event);
  }
}

const asItStands = ({ type, data }: RecordedEvent): Told => [
  `${safe(type)} ${safe(toAsciiJson(data), 600)}`,
];

type Known = { birth: Instant | undefined; addresses: Address[] };

type Told = readonly [string, ...string[]];

function tell(event: RecordedEvent & QueueEvent, known: Known): Told {
  const { at } = event;
  switch (event.type) {
    case 'MessageAccepted': {
      const { envelope, body, arrival, parent, owner } = event.data;
      known.birth = at;
      known.addresses = [...envelope.recipients];
      return [
        `accepted from ${formatParty(envelope.returnPath)} for ${count(envelope.recipients.length, 'recipient')}, ` +
          `${count(body.bytes, 'byte')}, by ${formatArrival(arrival)}`,
        ...(parent === undefined
          ? []
          : [`comes from letter ${safe(parent.message)} (${safe(parent.why, 20)})`]),
        ...(owner === undefined ? [] : [`node ${safe(owner, 36)} answers for it`]),
        `body sha256 ${safe(body.sha256, 64)}`,
      ];
    }
    case 'MessageAdopted': {
      const { by, from } = event.data;
      const was = from === undefined ? '' : `, after node ${safe(from, 36)}`;
      return [`adopted by node ${safe(by, 36)}${was}`];
    }
    case 'MessageQueued':
      return [
        `queued by the control files ${safe(event.data.controls)}`,
        ...event.data.routes.map(
          (route, rcpt) =>
            `${rcpt} ${formatParty(known.addresses[rcpt] ?? route.address)}: ${formatRoute(route)}, because ${safe(route.rule)}`,
        ),
      ];
    case 'AttemptStarted': {
      const { attempt, rcpts, routes, why, last } = event.data;
      const to = rcpts.map((rcpt, index) => `${rcpt} ${formatParty(routes[index]?.address ?? '')}`);
      const way = routes[0] === undefined ? '' : ` ${formatWay(routes[0])}`;
      return [
        `attempt ${attempt}${way} (${whys[why]}${last ? '; the last: the letter is too old to wait on' : ''}) to ${listed(to)}`,
      ];
    }
    case 'RecipientDelivered':
      return [
        `${outcome('delivered', event.data, at)}`,
        ...whatLinesDid(event.data),
        ...(event.data.children ?? []).map((child) => `forwarded as letter ${safe(child)}`),
      ];
    case 'RecipientDeferred': {
      const { dueAt, doubt } = event.data;
      const again = `again at ${formatInstant(dueAt)}, ${formatSpan(dueAt - at)} later`;
      return [
        outcome('deferred', event.data, at),
        ...whatLinesDid(event.data),
        ...inDoubt(doubt),
        again,
      ];
    }
    case 'RecipientFailed': {
      const { expired, doubt } = event.data;
      const old =
        expired === true
          ? ['it was a deferral, but the letter had been too long in the queue']
          : [];
      return [
        outcome('failed', event.data, at),
        ...whatLinesDid(event.data),
        ...inDoubt(doubt),
        ...old,
      ];
    }
    case 'MessageSettled': {
      const { failed } = event.data;
      return [
        `settled: ${failed.length} of ${count(known.addresses.length, 'recipient')} failed; a bounce is owed`,
      ];
    }
    case 'BounceQueued': {
      const { child, kind, to } = event.data;
      return [
        `${safe(kind.replace('-', ' '), 20)} queued to ${formatParty(to)} as letter ${safe(child)}`,
      ];
    }
    case 'BounceDiscarded':
      return [`no bounce: ${safe(event.data.why)}`];
    case 'MessageCleanedUp': {
      const age = known.birth === undefined ? '' : ` after ${formatSpan(at - known.birth)}`;
      return [`done${age}; nothing is owed any more`];
    }
    case 'RetryRequested':
      return [`retry asked for by ${formatHand(event.data)}`, ...named(event.data.rcpts, known)];
    case 'MessageHeld':
      return [`held by ${formatHand(event.data)}`];
    case 'MessageReleased':
      return [`released by ${formatHand(event.data)}`];
    case 'RecipientRedirected': {
      const { rcpt, to } = event.data;
      const from = known.addresses[rcpt] ?? '';
      known.addresses[rcpt] = to;
      return [
        `${rcpt} ${formatParty(from)} redirected to ${formatParty(to)} by ${formatHand(event.data)}`,
      ];
    }
    case 'RecipientCancelled':
      return [
        `${event.data.rcpt} ${formatParty(event.data.address)} cancelled by ${formatHand(event.data)}`,
      ];
    default:
      return asItStands(event);
  }
}

const whys = { first: 'first', retry: 'retry', asked: 'asked for by hand' } as const;

function outcome(
  verdict: 'delivered' | 'deferred' | 'failed',
  { rcpt, address, attempt, startedAt, reply }: Tried,
  at: Instant,
): string {
  const took = formatSpan(at - startedAt);
  const said = formatReply(reply);
  return `attempt ${attempt}: ${rcpt} ${formatParty(address)} ${verdict} after ${took}${said === '' ? '' : `: ${said}`}`;
}

/** `.qmail-list line 2: program ./filter: exit 99` */
function whatLinesDid({ lines }: Tried): string[] {
  if (lines === undefined) return [];
  const { from, done, more } = lines;
  const told = done.map(({ line, kind, what, came }) => {
    const name = `${safe(from, 80)} line ${line}: ${kind} ${safe(what, 200)}`;
    return came === undefined ? name : `${name}: ${safe(came, 200)}`;
  });
  return more === undefined ? told : [...told, `and ${count(more, 'line')} more`];
}

const inDoubt = (doubt: true | undefined): string[] =>
  doubt === true
    ? ['IN DOUBT: the far side may have taken it; the next attempt may be a duplicate']
    : [];

const named = (rcpts: readonly RecipientNo[], { addresses }: Known): string[] => [
  `for ${listed(rcpts.map((rcpt) => `${rcpt} ${formatParty(addresses[rcpt] ?? '')}`))}`,
];

/** The first few in full, the rest as a number. */
function listed(items: readonly string[], most = 20): string {
  if (items.length <= most) return items.join(', ');
  return `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}

/** `ESMTPS from mx.a.test [192.0.2.1:4711], helo a.test, TLSv1.3, as joe`. */
function formatArrival(arrival: Arrival): string {
  const { protocol, peer, peerHost, helo, auth, tls, uid, user, droppedAt } = arrival;
  const peerText =
    peer === undefined
      ? ''
      : ` from ${peerHost === undefined ? '' : `${safe(peerHost)} `}[${safe(peer)}]`;
  return [
    `${safe(protocol, 20)}${peerText}`,
    ...(helo === undefined ? [] : [`helo ${safe(helo, 80)}`]),
    ...(tls === undefined ? [] : [safe(tls.protocol, 20)]),
    ...(auth === undefined ? [] : [`as ${safe(auth, 80)}`]),
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(user === undefined ? [] : [`calls itself ${safe(user, 80)}`]),
    ...(droppedAt === undefined ? [] : [`from the drop box since ${formatInstant(droppedAt)}`]),
  ].join(', ');
}

function formatRoute(route: Route): string {
  return route.channel === 'local' ? `local ${safe(route.address)}` : formatWay(route);
}

/** `local`, `remote b.test`, `remote b.test through relay.test:25`. */
export function formatWay({ channel, hop }: Pick<Route, 'channel' | 'hop'>): string {
  if (channel === 'local') return 'local';
  const through = hop.relay === undefined ? '' : ` through ${hop.relay.host}:${hop.relay.port}`;
  return safe(`remote ${hop.host}${through}`);
}
