/**
 * Between a job and the log: an attempt is recorded before it is made, and its verdicts after.
 * A stop between the two leaves an attempt in doubt, which the next start finds and says so.
 */
import { laneOf } from '../../projections/agenda.ts';
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Reply } from '../mail/verdict.ts';
import type { Incarnation } from '../nodes/events.ts';
import type { Clock, Instant } from '../platform/clock.ts';
import type { Spool } from '../spool/ports.ts';
import type { Bodies } from './bodies.ts';
import type { RecordReport, StartAttempt } from './commands.ts';
import type { QueueEvent } from './events.ts';
import type { QueueIntake, RulesInForce } from './intake.ts';
import type { Letters } from './letters.ts';
import { bodyTrouble } from './body-trouble.ts';
import { acceptForwards } from './forwards.ts';
import type { AttemptReport, Order } from './ports.ts';
import { route } from './routing.ts';
import type { Job } from './scheduler.ts';
import type { QueueState } from './state.ts';
import { expandVerp, isVerp } from '../mail/verp.ts';

export interface Recorder {
  /** Records that the attempt starts; `undefined` when there is nothing to attempt after all. */
  start(job: Job): Promise<Order | undefined>;
  /** After `start` failed: if its record stands in the log, says that nothing came of the attempt. */
  takeBack(job: Job): Promise<void>;
  /** Accepts what the delivery forwarded, then records the verdicts. */
  record(order: Order, report: AttemptReport): Promise<void>;
}

export type RecorderParts = {
  readonly letters: Letters;
  readonly bodies: Bodies;
  readonly spool: Spool;
  readonly intake: QueueIntake;
  readonly rules: () => RulesInForce;
  /** What becomes of a letter when nobody knows how an attempt ended; default: `retry`. */
  readonly doubtPolicy?: 'retry' | 'hold';
  readonly limits: () => { readonly lifetimeSeconds: number; readonly ceilingMs: number };
  readonly clock: Clock;
  /** This node, where several share the log: only its own letters are attempted. */
  readonly self?: Incarnation | undefined;
};

export function openRecorder(parts: RecorderParts): Recorder {
  const { letters, bodies, clock } = parts;
  const takeBack = async ({ message, rcpts: wanted }: Job): Promise<void> => {
    const { open } = await letters.state(message);
    for (const [attempt, { rcpts, by }] of [...open]) {
      if (parts.self !== undefined && by !== parts.self) continue;
      // Nobody else here can have an attempt under way for recipients that are out with this job.
      if (!rcpts.some((rcpt) => wanted.includes(rcpt))) continue;
      await letters.handle(message, nothingSent(attempt, rcpts, logTrouble, clock.now()));
    }
  };
  return {
    takeBack,
    async start(job) {
      let letter: Facts | undefined;
      const events = await letters.handleWith(job.message, (state) => {
        const { returnPath, eightBit, utf8, body } = state;
        letter = { returnPath, eightBit, utf8, body };
        return plan(job, state, parts);
      });
      const started = events[0];
      if (started?.type !== 'AttemptStarted' || letter === undefined) {
        // Our own record may stand there, though all we heard of it was trouble.
        await takeBack(job);
        return undefined;
      }
      const order = toOrder(job.message, started, letter);
      try {
        return { ...order, body: await bodies.source(letter.body) };
      } catch (cause) {
        if (!isTrouble(cause)) throw cause;
        const { attempt, rcpts } = started.data;
        await letters.handle(job.message, nothingSent(attempt, rcpts, bodyTrouble, clock.now()));
        return undefined;
      }
    },
    async record(order, report) {
      const { children, outcomes } = await acceptForwards(order, report, parts);
      const { message, attempt } = order;
      const at = clock.now();
      const events = await letters.handle(message, {
        type: 'RecordReport',
        attempt,
        outcomes,
        ...(children.size === 0 ? {} : { children }),
        doubtPolicy: parts.doubtPolicy ?? 'retry',
        at,
      });
      if (events.some(isEndOrPause)) bodies.forget(order.body.ref.id);
    },
  };
}

type Facts = Pick<QueueState, 'returnPath' | 'eightBit' | 'utf8' | 'body'>;
type Started = Extract<QueueEvent, { type: 'AttemptStarted' }>;

function toOrder(message: MessageId, started: Started, letter: Facts): Omit<Order, 'body'> {
  const { attempt, rcpts, routes, why } = started.data;
  const { channel, hop } = routes[0]!;
  const recipients = rcpts.map((rcpt, index) => ({ rcpt, address: routes[index]!.address }));
  const returnPath = expandVerp(letter.returnPath, recipients[0]!.address);
  const { eightBit, utf8 } = letter;
  const facts = { message, attempt, startedAt: started.at, channel, hop, recipients, returnPath };
  return { ...facts, eightBit, utf8, ...(why === 'first' ? { firstTry: true as const } : {}) };
}

const logTrouble: Reply = { text: 'Unable to write the log. (#4.3.0)\n', status: '4.3.0' };

const nothingSent = (
  attempt: number,
  rcpts: readonly RecipientNo[],
  reply: Reply,
  at: Instant,
): RecordReport => ({
  type: 'RecordReport',
  attempt,
  outcomes: rcpts.map((rcpt) => ({ rcpt, kind: 'deferred', reply })),
  at,
});

/** The body is not needed any more, or not for a long while. */
const isEndOrPause = ({ type }: QueueEvent): boolean =>
  type === 'MessageCleanedUp' || type === 'RecipientDeferred';

/** The recipients of the job that go the same way by the rules of now; the others get a job of their own. */
function plan(job: Job, state: Readonly<QueueState>, parts: RecorderParts): StartAttempt {
  const { routing, digest } = parts.rules();
  const rcpts = isVerp(state.returnPath) ? job.rcpts.slice(0, 1) : job.rcpts;
  const routed = rcpts.map((rcpt) => ({
    rcpt,
    route: route(state.recipients[rcpt]!.address, routing),
  }));
  const lane = laneOf(routed[0]!.route);
  const together = routed.filter(({ route: other }) => laneOf(other) === lane);
  return {
    type: 'StartAttempt',
    rcpts: together.map(({ rcpt }) => rcpt),
    routes: together.map((each) => each.route),
    controls: digest,
    at: parts.clock.now(),
    ...parts.limits(),
    ...(parts.self === undefined ? {} : { by: parts.self }),
  };
}
