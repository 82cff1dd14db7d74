/**
 * One order from first to last: a resting connection if there is one, else the addresses of the next
 * hop in turn, until a far side has answered MAIL. From then on its word is final. Recipients that it
 * finds too many for one transaction (452) go in the next, at once.
 */
import { asciiLower } from '../../mail/address.ts';
import { isIpv4 } from '../../mail/ip-address.ts';
import type { Outcome } from '../../mail/verdict.ts';
import type { Clock } from '../../platform/clock.ts';
import type { NextHop, Order } from '../../queue/ports.ts';
import type { HostParts } from './hosts.ts';
import { findHosts } from './hosts.ts';
import type { Opened } from './open-session.ts';
import { openSession } from './open-session.ts';
import type { SessionPool } from './pool.ts';
import type { Dial, RemoteSettings, Target } from './ports.ts';
import { isInternational, isSendable } from './sendable.ts';
import type { Session } from './session.ts';
import type { TcpTimeouts } from './tcpto.ts';
import { noteAnswer, noteTimeout, passesBy } from './tcpto.ts';
import { openTrail, withTrail, type Trail } from './trail.ts';
import { transact } from './transaction.ts';
import type { Course, Peer, Recipient } from './verdicts.ts';
import { leftOver, sameForAll, toOutcomes } from './verdicts.ts';

export type DeliverParts = {
  readonly hosts: Omit<HostParts, 'listenPorts'>;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly pool: SessionPool;
  readonly tcpto: TcpTimeouts;
  readonly patienceMs: number;
  readonly settings: RemoteSettings;
  readonly signal: AbortSignal;
};

/** Addresses tried in one attempt: a domain with a hundred dead ones must not hold its slot for hours. */
export const addressesTried = 10;

/**
 * After so long an attempt begins no further transaction, so that it ends well before it is cut off: what
 * was delivered would be in doubt.
 */
const transactionsMs = 3_600_000;

const noConnection = "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";
export const badRecipient = 'Sorry, SMTP cannot transfer a recipient address like this. (#5.1.3)\n';
export const badSender = 'Sorry, SMTP cannot transfer a sender address like this. (#5.1.7)\n';

/** An outcome for each recipient. Never rejects unless a part of ours breaks its promise. */
export async function deliver(order: Order, parts: DeliverParts): Promise<readonly Outcome[]> {
  if (!isSendable(order.returnPath)) return sameForAll(order.recipients, 'failed', badSender);
  const [good, bad] = split(order.recipients, isSendable);
  const refused = sameForAll(bad, 'failed', badRecipient);
  const outcomes = [...refused];
  const until = parts.clock.steady() + transactionsMs;
  for (let left: readonly Recipient[] = good; left.length > 0;) {
    const said = await reach({ ...order, recipients: left }, parts);
    const again = parts.clock.steady() < until && !parts.signal.aborted ? said.left : [];
    const later = new Set(again.map(({ rcpt }) => rcpt));
    outcomes.push(...said.outcomes.filter(({ rcpt }) => !later.has(rcpt)));
    // Each round has delivered to somebody, so that they come to an end.
    left = again;
  }
  return outcomes;
}

/** A dialogue, and whom it was about. */
export type Heard = {
  readonly recipients: readonly Recipient[];
  readonly course: Course;
  readonly peer: Peer;
};

/**
 * What came of one transaction; `left`: whom it had no room for, though it took others. `heard` is what the
 * outcomes come from, where a far side has said anything.
 */
export type Said = {
  readonly outcomes: readonly Outcome[];
  readonly left: readonly Recipient[];
  readonly heard?: Heard;
};

const all = (outcomes: readonly Outcome[]): Said => ({ outcomes, left: [] });

/** Next hops that may share a connection have the same key. */
const hopKey = ({ host, relay }: NextHop): string =>
  relay === undefined ? asciiLower(host) : `:${asciiLower(relay.host)}:${relay.port}`;

/** One transaction with whoever answers first. All addresses must be sendable. */
export async function reach(order: Order, parts: DeliverParts): Promise<Said> {
  const trail = openTrail(parts.hosts.dns);
  const said = await search(order, parts, trail);
  return { ...said, outcomes: withTrail(said, trail.all()) };
}

async function search(order: Order, parts: DeliverParts, trail: Trail): Promise<Said> {
  const rested = parts.pool.take(hopKey(order.hop));
  if (rested !== undefined) {
    const said = await converse(rested, order, parts);
    if (said !== undefined) {
      trail.overOpenConnection();
      return said;
    }
    // It had died in its sleep: that is nobody's fault, and no attempt either.
  }
  const found = await findHosts(order.hop, {
    ...parts.hosts,
    dns: trail.dns,
    listenPorts: parts.settings.listenPorts,
  });
  if (found.kind !== 'found') return all(sameForAll(order.recipients, found.kind, found.text));
  return tryInTurn(reachable(found.targets, parts, trail), order, parts, trail);
}

function reachable(
  targets: readonly Target[],
  { settings, tcpto, patienceMs, clock }: DeliverParts,
  trail: Trail,
) {
  const { outgoingIp } = settings;
  const now = clock.steady();
  return targets
    .filter(({ address }) => outgoingIp === undefined || isIpv4(address) === isIpv4(outgoingIp))
    .filter(({ address }) => {
      const isSilent = passesBy(tcpto, address, now, patienceMs);
      if (isSilent)
        trail.passedBy(address, clock.now() + tcpto.get(address)!.at + patienceMs - now);
      return !isSilent;
    })
    .slice(0, addressesTried);
}

/** The last words heard are the ones reported; a connection refused says less than a greeting. */
async function tryInTurn(
  targets: readonly Target[],
  order: Order,
  parts: DeliverParts,
  trail: Trail,
): Promise<Said> {
  const { recipients } = order;
  let last = all(sameForAll(recipients, 'deferred', noConnection));
  for (const target of targets) {
    if (parts.signal.aborted) break;
    const opened = await openSession(target, parts);
    noteConnection(opened, target, parts);
    if (opened.kind === 'open') {
      const said = await converse(opened.session, order, parts);
      if (said !== undefined) return said;
      trail.inVain(target, 'died');
      last = unheeded({ recipients, course: { end: 'stale' }, peer: opened.session.peer });
      continue;
    }
    trail.inVain(target, opened.kind);
    if ('peer' in opened) {
      last = unheeded({ recipients, course: toCourse(opened), peer: opened.peer });
      // "Not now" sends us to the next address (RFC 5321 §5.1); "never" is not asked elsewhere.
      if (opened.kind !== 'died' && opened.said.code >= 500) break;
    }
  }
  return last;
}

/** It never came to a recipient. */
const unheeded = (heard: Heard): Said => ({
  ...all(toOutcomes(heard.recipients, heard.course, heard.peer)),
  heard,
});

function noteConnection(opened: Opened, { address }: Target, parts: DeliverParts): void {
  if (parts.signal.aborted) return;
  if (opened.kind === 'timed-out') noteTimeout(parts.tcpto, address, parts.clock.steady());
  else noteAnswer(parts.tcpto, address);
}

const toCourse = (opened: Extract<Opened, { peer: unknown }>): Course =>
  opened.kind === 'died' ? { end: 'stale' } : { end: opened.kind, said: opened.said };

/** `undefined` when the session died before it knew anything about the letter. */
async function converse(
  session: Session,
  order: Order,
  parts: DeliverParts,
): Promise<Said | undefined> {
  const { smtpUtf8 } = session.extensions;
  const sayable = ({ address }: Recipient) =>
    smtpUtf8 || !(isInternational(address) || isInternational(order.returnPath));
  const [speakable, foreign] = splitRecipients(order.recipients, sayable);
  const refused = sameForAll(foreign, 'failed', lacksUtf8(session.peer.address), session.peer);
  const end = () => session.close();
  parts.signal.addEventListener('abort', end, { once: true });
  try {
    if (parts.signal.aborted) end();
    if (speakable.length === 0) return all(refused);
    const recipients = speakable.map(({ address }) => address);
    const course = await transact(session, { ...order, recipients });
    if (course.end === 'stale') return undefined;
    return {
      outcomes: [...refused, ...toOutcomes(speakable, course, session.peer)],
      left: leftOver(speakable, course),
      heard: { recipients: speakable, course, peer: session.peer },
    };
  } finally {
    parts.signal.removeEventListener('abort', end);
    giveBack(session, order.hop, parts);
  }
}

const lacksUtf8 = (ip: string): string =>
  `${ip} does not offer SMTPUTF8, which an address of this letter needs. (#5.6.7)\n`;

function giveBack(session: Session, hop: NextHop, { pool, settings }: DeliverParts): void {
  if (session.letters >= settings.maxPerConnection) session.quit();
  else pool.give(hopKey(hop), session, settings.idleMs);
}

const split = (recipients: readonly Recipient[], test: (address: string) => boolean) =>
  splitRecipients(recipients, ({ address }) => test(address));

function splitRecipients(
  recipients: readonly Recipient[],
  test: (recipient: Recipient) => boolean,
): [Recipient[], Recipient[]] {
  const yes: Recipient[] = [];
  const no: Recipient[] = [];
  for (const recipient of recipients) (test(recipient) ? yes : no).push(recipient);
  return [yes, no];
}
