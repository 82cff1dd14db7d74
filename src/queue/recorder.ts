/**
 * Between a job and the log: an attempt is recorded before it is made, and its verdicts after.
 * A stop between the two leaves an attempt in doubt, which the next start finds and says so.
 */
import { createHash } from 'node:crypto';
import { laneOf } from '../../projections/agenda.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import { deriveMessageId } from '../mail/message-id.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Clock, Instant } from '../platform/clock.ts';
import type { Spool } from '../spool/ports.ts';
import type { Bodies } from './bodies.ts';
import { joinBodies } from './child-body.ts';
import type { RecordReport, StartAttempt } from './decider.ts';
import type { QueueEvent } from './events.ts';
import type { QueueIntake, RulesInForce } from './intake.ts';
import type { Letters } from './letters.ts';
import type { AttemptReport, Forward, Order } from './ports.ts';
import { route } from './routing.ts';
import type { Job } from './scheduler.ts';
import type { QueueState } from './state.ts';
import { expandVerp, isVerp } from './verp.ts';

export interface Recorder {
  /** Records that the attempt starts; `undefined` when there is nothing to attempt after all. */
  start(job: Job): Promise<Order | undefined>;
  /** Accepts what the delivery forwarded, then records the verdicts. */
  record(order: Order, report: AttemptReport): Promise<void>;
}

export type RecorderParts = {
  readonly letters: Letters;
  readonly bodies: Bodies;
  readonly spool: Spool;
  readonly intake: QueueIntake;
  readonly rules: () => RulesInForce;
  readonly limits: () => { readonly lifetimeSeconds: number; readonly ceilingMs: number };
  readonly clock: Clock;
};

export function openRecorder(parts: RecorderParts): Recorder {
  const { letters, bodies, clock } = parts;
  return {
    async start(job) {
      let letter: Facts | undefined;
      const events = await letters.handleWith(job.message, (state) => {
        const { returnPath, eightBit, utf8, body } = state;
        letter = { returnPath, eightBit, utf8, body };
        return plan(job, state, parts);
      });
      const started = events[0];
      if (started?.type !== 'AttemptStarted' || letter === undefined) return undefined;
      const order = toOrder(job.message, started, letter);
      try {
        return { ...order, body: await bodies.source(letter.body) };
      } catch (cause) {
        await letters.handle(job.message, bodyTrouble(started, cause, clock.now()));
        return undefined;
      }
    },
    async record(order, { outcomes, forwards = [] }) {
      const children = new Map<RecipientNo, MessageId[]>();
      for (const [index, forward] of forwards.entries()) {
        const child = await acceptForward(order, forward, index, parts);
        children.set(forward.rcpt, [...(children.get(forward.rcpt) ?? []), child]);
      }
      const { message, attempt } = order;
      const at = clock.now();
      const events = await letters.handle(message, {
        type: 'RecordReport',
        attempt,
        outcomes,
        ...(children.size === 0 ? {} : { children }),
        at,
      });
      if (events.some(isTheEnd)) bodies.forget(order.body.ref.id);
    },
  };
}

type Facts = Pick<QueueState, 'returnPath' | 'eightBit' | 'utf8' | 'body'>;
type Started = Extract<QueueEvent, { type: 'AttemptStarted' }>;

function toOrder(message: MessageId, started: Started, letter: Facts): Omit<Order, 'body'> {
  const { attempt, rcpts, routes } = started.data;
  const { channel, hop } = routes[0]!;
  const recipients = rcpts.map((rcpt, index) => ({ rcpt, address: routes[index]!.address }));
  const returnPath = expandVerp(letter.returnPath, recipients[0]!.address);
  const { eightBit, utf8 } = letter;
  const startedAt = started.at;
  return { message, attempt, startedAt, channel, hop, recipients, returnPath, eightBit, utf8 };
}

/** Nothing was sent: the body cannot be read now. It may come back (a disk, a restore), so it defers. */
function bodyTrouble(started: Started, cause: unknown, at: Instant): RecordReport {
  if (!isTrouble(cause)) throw cause;
  const { attempt, rcpts } = started.data;
  const reply = { text: 'qmail-spawn unable to open message. (#4.3.0)\n', status: '4.3.0' };
  const outcomes = rcpts.map((rcpt) => ({ rcpt, kind: 'deferred' as const, reply }));
  return { type: 'RecordReport', attempt, outcomes, at };
}

const isTheEnd = ({ type }: QueueEvent): boolean => type === 'MessageCleanedUp';

/** The recipients of the job that go the same way by the rules of now; the others get a job of their own. */
function plan(job: Job, state: Readonly<QueueState>, parts: RecorderParts): StartAttempt {
  const { routing, digest } = parts.rules();
  const routed = job.rcpts.map((rcpt) => ({
    rcpt,
    route: route(state.recipients[rcpt]!.address, routing),
  }));
  const lane = laneOf(routed[0]!.route);
  const alike = routed.filter(({ route: other }) => laneOf(other) === lane);
  const together = isVerp(state.returnPath) ? alike.slice(0, 1) : alike;
  return {
    type: 'StartAttempt',
    rcpts: together.map(({ rcpt }) => rcpt),
    routes: together.map((each) => each.route),
    controls: digest,
    at: parts.clock.now(),
    ...parts.limits(),
  };
}

/**
 * The forwarded letter, named after the attempt that made it: a stop between accepting it and
 * recording the parent's verdict makes the same letter again, and it is there already.
 */
async function acceptForward(
  order: Order,
  forward: Forward,
  index: number,
  { spool, intake }: RecorderParts,
): Promise<MessageId> {
  const { message, attempt, body, eightBit, utf8 } = order;
  const name = `forward ${message} ${attempt} ${forward.rcpt} ${index}`;
  const id = deriveMessageId(order.startedAt, createHash('sha256').update(name).digest());
  const { returnPath, recipients, prefix } = forward;
  await intake.accept({
    id,
    envelope: { returnPath, recipients },
    arrival: { protocol: 'forward', eightBit, utf8 },
    body: await joinBodies(spool, id, prefix, body),
    parent: { message, why: 'forward' },
  });
  return id;
}
