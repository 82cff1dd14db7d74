/**
 * Histories of letters as they may be: random commands, as an attempt, a restart or an operator would
 * give them, in any order and with any nonsense, decided by the decider.
 */
import fc from 'fast-check';
import type { RecordedEvent } from '../../src/log/ports.ts';
import type { MessageId, RecipientNo } from '../../src/mail/envelope.ts';
import { makeMessageId } from '../../src/mail/message-id.ts';
import type { Outcome } from '../../src/mail/verdict.ts';
import type { QueueCommand } from '../../src/queue/commands.ts';
import { decide } from '../../src/queue/decider.ts';
import { messageStream, type QueueEvent } from '../../src/queue/events.ts';
import { evolve, initial, type QueueState } from '../../src/queue/state.ts';
import { birth, controls, hand, hourMs, way, week } from './queue-mail.ts';

const kinds = ['delivered', 'deferred', 'deferred', 'failed'] as const;

/** Raw material of one command; numbers are taken modulo what there is. */
export const step = fc.record({
  letter: fc.nat(9),
  kind: fc.constantFrom(
    ...(['start', 'start', 'start', 'report', 'report', 'report', 'report', 'doubt'] as const),
    ...(['retry', 'hold', 'release', 'cancel', 'redirect', 'bounce', 'accept'] as const),
  ),
  /** Which recipients: bits, plus some that do not exist. */
  rcpts: fc.array(fc.nat(6), { maxLength: 5 }),
  verdicts: fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 5 }),
  /** 0: the last attempt; 1: the one before; … */
  back: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4) }),
  pause: fc.oneof(fc.nat(2_000), fc.nat(200_000_000)),
  flag: fc.boolean(),
});

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const places = ['joe@here.test', 'ann-list@here.test', 'a@far.test', 'b@far.test', 'c@else.test'];

export const recipientsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, rcpt) => places[rcpt % places.length]!);

/** The command that the step asks of a letter in this state, at `at`. */
export function toCommand(
  step: Step,
  state: QueueState,
  at: number,
  recipients: string[],
): QueueCommand {
  const some = step.rcpts.length === 0 ? [...state.recipients.keys()] : step.rcpts;
  const attempt = state.attempts - step.back;
  switch (step.kind) {
    case 'accept':
      return acceptCommand(recipients, at);
    case 'start': {
      const rcpts = [...new Set(some)].filter((rcpt) => rcpt < state.recipients.length);
      const routes = rcpts.map((rcpt) => way(state.recipients[rcpt]!.address));
      const limits = { lifetimeSeconds: week, ceilingMs: hourMs };
      return { type: 'StartAttempt', rcpts, routes, controls, at, ...limits };
    }
    case 'report':
      return { type: 'RecordReport', attempt, outcomes: outcomesFor(step, some), at };
    case 'doubt': {
      const policy = step.flag ? 'hold' : 'retry';
      return { type: 'DoubtAttempt', attempt, policy, why: 'Interrupted.', at };
    }
    case 'retry':
      return { type: 'Retry', ...hand, at, ...(step.flag ? {} : { rcpts: step.rcpts }) };
    case 'cancel':
      return { type: 'Cancel', ...hand, at, rcpts: step.rcpts };
    case 'hold':
      return { type: 'Hold', ...hand, at };
    case 'release':
      return { type: 'Release', ...hand, at };
    case 'redirect':
      return { type: 'Redirect', ...hand, at, rcpt: step.rcpts[0] ?? 0, to: places[step.back]! };
    case 'bounce': {
      const bounce = step.flag
        ? { discard: 'triple bounce' }
        : { child: 'a-child', kind: 'bounce' as const, to: 'joe@here.test' };
      return { type: 'SettleBounce', bounce, at };
    }
  }
}

const outcomesFor = (step: Step, rcpts: readonly RecipientNo[]): Outcome[] =>
  rcpts.map((rcpt, index) => ({
    rcpt,
    kind: step.verdicts[index % step.verdicts.length]!,
    reply: { text: `Word ${index}.\n` },
    ...(step.flag ? { doubt: true as const } : {}),
  }));

export const acceptCommand = (recipients: string[], at: number): QueueCommand => ({
  type: 'AcceptMessage',
  envelope: { returnPath: 'joe@here.test', recipients },
  body: { id: 'a-body', bytes: 1, sha256: 'ab'.repeat(32) },
  arrival: { protocol: 'ESMTP' },
  routes: recipients.map(way),
  controls,
  at,
});

export const idOf = (letter: number): MessageId =>
  makeMessageId(birth, Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, letter >> 8, letter & 0xff]));

export type Walk = {
  readonly events: readonly RecordedEvent[];
  readonly states: ReadonlyMap<MessageId, QueueState>;
};

/** Plays the steps on several letters; `hear` sees every event as the log would have it. */
export function play(
  steps: readonly Step[],
  sizes: readonly number[],
  hear: (event: RecordedEvent, states: ReadonlyMap<MessageId, QueueState>) => void = () =>
    undefined,
): Walk {
  const events: RecordedEvent[] = [];
  const states = new Map<MessageId, QueueState>();
  const revisions = new Map<MessageId, number>();
  let at = birth;
  const run = (id: MessageId, command: QueueCommand): void => {
    const state = states.get(id) ?? initial();
    states.set(id, state);
    for (const event of decide(command, state)) {
      evolve(state, event);
      const revision = (revisions.get(id) ?? -1) + 1;
      revisions.set(id, revision);
      const recorded = {
        ...event,
        stream: messageStream(id),
        revision,
        position: events.length + 1,
      };
      events.push(recorded);
      hear(recorded, states);
    }
  };
  for (const [letter, size] of sizes.entries())
    run(idOf(letter), acceptCommand(recipientsOf(size), at));
  for (const each of steps) {
    at += each.pause;
    const letter = each.letter % sizes.length;
    const state = states.get(idOf(letter))!;
    run(idOf(letter), toCommand(each, state, at, recipientsOf(sizes[letter]!)));
  }
  return { events, states };
}

export const asQueueEvent = (event: RecordedEvent): QueueEvent => event as unknown as QueueEvent;

export const walks = fc.record({
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
  sizes: fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
});
