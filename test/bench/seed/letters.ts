/**
 * Letters as the engine would have recorded them, made by the queue's own decider: the same events in the same
 * appends' order, without the hours. Pure; ids are drawn by counting, so that a seeded log is the same every time.
 */
import type { Address, Arrival, BodyRef, MessageId } from '../../../src/mail/envelope.ts';
import { makeMessageId, randomBytesWanted } from '../../../src/mail/message-id.ts';
import type { Outcome, VerdictKind } from '../../../src/mail/verdict.ts';
import type { Instant } from '../../../src/platform/clock.ts';
import { decide } from '../../../src/queue/decider.ts';
import type { QueueCommand } from '../../../src/queue/commands.ts';
import type { QueueEvent, Route } from '../../../src/queue/events.ts';
import { evolve, initial } from '../../../src/queue/state.ts';

export type SeedRoute = { readonly domain: string; readonly port: number };

/** What one letter lives through: the verdict of each attempt; a recipient deferred last waits until `dueAt`. */
export type Life = {
  readonly id: MessageId;
  readonly born: Instant;
  readonly body: BodyRef;
  readonly recipients: number;
  readonly to: SeedRoute;
  readonly verdicts: readonly VerdictKind[];
  /** Overrules the schedule for recipients that are deferred last. */
  readonly dueAt?: Instant;
};

const texts: { readonly [K in VerdictKind]: string } = {
  delivered: '127.0.0.1 accepted message.\nRemote host said: 250 2.0.0 Ok\n',
  deferred: "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n",
  failed: '127.0.0.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\n',
};

const lifetimeSeconds = 604_800;
const ceilingMs = 4 * 3_600_000;

/** All events of the letter so far, first to last. */
export function eventsOf(life: Life): readonly QueueEvent[] {
  const { born, body, recipients, to, verdicts, dueAt } = life;
  const addresses = Array.from({ length: recipients }, (_, n) => `user${n}@${to.domain}`);
  const routes = addresses.map((address) => routeOf(address, to));
  const events: QueueEvent[] = [];
  let state = initial();
  const tell = (command: QueueCommand): void => {
    for (const event of decide(command, state)) {
      const told = overruled(event, dueAt);
      state = evolve(state, told);
      events.push(told);
    }
  };
  tell({
    ...{ type: 'AcceptMessage', body, arrival, routes, controls, at: born },
    envelope: { returnPath: 'sender@source.test', recipients: addresses },
  });
  verdicts.forEach((kind, index) => {
    const at = born + index * 400_000;
    const rcpts = addresses.map((_, rcpt) => rcpt);
    const outcomes = rcpts.map((rcpt): Outcome => ({ rcpt, kind, reply: { text: texts[kind] } }));
    tell({
      ...{ type: 'StartAttempt', rcpts, routes, controls, at: at + 2 },
      ...{ lifetimeSeconds, ceilingMs },
    });
    tell({ type: 'RecordReport', attempt: index + 1, outcomes, at: at + 15 });
  });
  return events;
}

const controls = 'seeded';

const arrival: Arrival = { protocol: 'SMTP', peer: '127.0.0.1:40000', helo: 'source.test' };

function routeOf(address: Address, { domain, port }: SeedRoute): Route {
  const relay = { host: '127.0.0.1', port };
  const rule = `smtproutes: ${domain}:127.0.0.1:${port}`;
  return { channel: 'remote', hop: { host: domain, relay }, address, rule };
}

const overruled = (event: QueueEvent, dueAt: Instant | undefined): QueueEvent =>
  event.type === 'RecipientDeferred' && dueAt !== undefined
    ? { ...event, data: { ...event.data, dueAt } }
    : event;

/** The name of the n-th letter born at that instant. */
export function seededId(born: Instant, n: number): MessageId {
  const digits = Buffer.alloc(randomBytesWanted);
  digits.writeUIntBE(n, randomBytesWanted - 6, 6);
  return makeMessageId(born, digits);
}
