/**
 * qmail-send's judgement: from a command and what is true of a letter to the events that follow.
 * Pure: clock, rules and ids come in with the command. Hearing a command twice changes nothing.
 */
import type { MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Outcome, Reply } from '../mail/verdict.ts';
import type { Instant } from '../platform/clock.ts';
import type {
  AcceptMessage,
  AdoptMessage,
  DoubtAttempt,
  HandCommand,
  QueueCommand,
  RecordReport,
  SettleBounce,
  StartAttempt,
} from './commands.ts';
import type { QueueEvent, Route, Tried } from './events.ts';
import { isExpired, nextAttempt, tooLongInQueue } from './schedule.ts';
import type { OpenAttempt, QueueState } from './state.ts';

/** A letter is accepted once, and only then can anything else happen to it. */
export function decide(command: QueueCommand, state: QueueState): readonly QueueEvent[] {
  const exists = state.body.id !== '';
  if ((command.type === 'AcceptMessage') === exists) return [];
  switch (command.type) {
    case 'AcceptMessage':
      return accept(command);
    case 'AdoptMessage':
      return adopt(command, state);
    case 'StartAttempt':
      return start(command, state);
    case 'RecordReport':
      return record(command, state);
    case 'DoubtAttempt':
      return doubt(command, state);
    case 'SettleBounce':
      return settleBounce(command, state);
    case 'Retry':
    case 'Hold':
    case 'Release':
    case 'Cancel':
    case 'Redirect':
      return byHand(command, state);
  }
}

function accept(command: AcceptMessage): readonly QueueEvent[] {
  const { envelope, body, arrival, parent, owner, routes, controls, at } = command;
  const accepted: QueueEvent = {
    type: 'MessageAccepted',
    v: 1,
    at,
    data: {
      ...{ envelope, body, arrival },
      ...(parent === undefined ? {} : { parent }),
      ...(owner === undefined ? {} : { owner }),
    },
  };
  const queued: QueueEvent = { type: 'MessageQueued', v: 1, at, data: { routes, controls } };
  // A letter to nobody is legal (qmail-queue.c): queued and ended at once.
  return routes.length === 0 ? [accepted, queued, cleanedUp(body.id, at)] : [accepted, queued];
}

/** A letter that is done, or that somebody else has adopted by now, is left alone. */
function adopt({ by, from, at }: AdoptMessage, state: QueueState): readonly QueueEvent[] {
  if (state.done || state.owner !== from || by === from) return [];
  const data = from === undefined ? { by } : { by, from };
  return [{ type: 'MessageAdopted', v: 1, at, data }];
}

/** Only recipients that still wait are attempted; nobody left means nothing is started. */
function start(command: StartAttempt, state: QueueState): readonly QueueEvent[] {
  const { controls, at, lifetimeSeconds, ceilingMs } = command;
  if (state.held || state.done) return [];
  if (command.by !== undefined && command.by !== state.owner) return [];
  const rcpts: RecipientNo[] = [];
  const routes: Route[] = [];
  command.rcpts.forEach((rcpt, index) => {
    if (state.recipients[rcpt]?.status !== 'waiting' || rcpts.includes(rcpt)) return;
    rcpts.push(rcpt);
    routes.push(command.routes[index]!);
  });
  if (rcpts.length === 0) return [];
  const asked = rcpts.some((rcpt) => state.recipients[rcpt]!.asked);
  const tried = rcpts.some((rcpt) => state.recipients[rcpt]!.tries > 0);
  return [
    {
      type: 'AttemptStarted',
      v: 1,
      at,
      data: {
        attempt: state.attempts + 1,
        rcpts,
        routes,
        controls,
        why: asked ? 'asked' : tried ? 'retry' : 'first',
        last: isExpired(state.birth, at, lifetimeSeconds),
        untilAt: at + ceilingMs,
      },
    },
  ];
}

function record(command: RecordReport, state: QueueState): readonly QueueEvent[] {
  const { attempt, outcomes, children, at } = command;
  const open = state.open.get(attempt);
  // An append may work though its answer gets lost; the recorder then asks a second time.
  if (open === undefined) return [];
  const events: QueueEvent[] = [];
  const heard = new Set<RecipientNo>();
  for (const outcome of outcomes) {
    const { rcpt } = outcome;
    if (!open.rcpts.includes(rcpt) || heard.has(rcpt)) continue;
    if (state.recipients[rcpt]?.status !== 'attempting') continue;
    heard.add(rcpt);
    events.push(judge(outcome, attempt, open, state, at, children?.get(rcpt)));
  }
  // The report closes the attempt: whom it forgot would else be under way for ever.
  for (const rcpt of open.rcpts) {
    if (heard.has(rcpt) || state.recipients[rcpt]?.status !== 'attempting') continue;
    events.push(judge(unreported(rcpt), attempt, open, state, at, undefined));
  }
  const doubtful = events.some(
    (event) => event.type === 'RecipientDeferred' && event.data.doubt === true,
  );
  const held = doubtful && command.doubtPolicy === 'hold' ? holdForDoubt(state, at) : [];
  return [...events, ...held, ...settle(state, events, at)];
}

/** The operator wants to decide himself whether a duplicate may be risked (`[log] in_doubt`). */
const holdForDoubt = (state: QueueState, at: Instant): readonly QueueEvent[] =>
  state.held
    ? []
    : [{ type: 'MessageHeld', v: 1, at, data: { by: 'waybill', why: 'attempt in doubt' } }];

/** One outcome of one recipient; a deferral past the lifetime is a failure (qmail-send.c, `flagdying`). */
function judge(
  outcome: Outcome,
  attempt: number,
  open: OpenAttempt,
  state: QueueState,
  at: Instant,
  children: readonly MessageId[] | undefined,
): QueueEvent {
  const { rcpt, kind, reply, lines, reached } = outcome;
  const index = open.rcpts.indexOf(rcpt);
  const route = open.routes[index]!;
  const tried: Tried = {
    ...{ rcpt, address: route.address, attempt, startedAt: open.startedAt, reply },
    ...(lines === undefined ? {} : { lines }),
    ...(reached === undefined ? {} : { reached }),
  };
  const doubt = outcome.doubt === true ? { doubt: true as const } : {};
  if (kind === 'delivered') {
    const data = children === undefined ? tried : { ...tried, children };
    return { type: 'RecipientDelivered', v: 1, at, data };
  }
  if (kind === 'failed') return { type: 'RecipientFailed', v: 1, at, data: { ...tried, ...doubt } };
  if (outcome.untried === true) {
    return { type: 'RecipientDeferred', v: 1, at, data: { ...tried, dueAt: at } };
  }
  if (open.last) {
    const gaveUp = { ...tried, reply: tooLong(reply), expired: true as const, ...doubt };
    return { type: 'RecipientFailed', v: 1, at, data: gaveUp };
  }
  const dueAt = nextAttempt(state.birth, open.startedAt, route.channel);
  return { type: 'RecipientDeferred', v: 1, at, data: { ...tried, dueAt, ...doubt } };
}

const unreported = (rcpt: RecipientNo): Outcome => ({
  rcpt,
  kind: 'deferred',
  doubt: true,
  reply: { text: 'Report mangled, will defer. Possible duplicate! (#4.3.0)\n', status: '4.3.0' },
});

const tooLong = (reply: Reply): Reply => {
  const lineEnd = reply.text === '' || reply.text.endsWith('\n') ? '' : '\n';
  return { ...reply, text: reply.text + lineEnd + tooLongInQueue };
};

function doubt(command: DoubtAttempt, state: QueueState): readonly QueueEvent[] {
  const { attempt, policy, why, at } = command;
  const open = state.open.get(attempt);
  if (open === undefined) return [];
  const events: QueueEvent[] = [];
  open.rcpts.forEach((rcpt, index) => {
    if (state.recipients[rcpt]?.status !== 'attempting') return;
    const { address } = open.routes[index]!;
    const reply: Reply = { text: `${why} Possible duplicate! (#4.4.2)\n`, status: '4.4.2' };
    const tried: Tried = { rcpt, address, attempt, startedAt: open.startedAt, reply };
    events.push({
      type: 'RecipientDeferred',
      v: 1,
      at,
      data: { ...tried, dueAt: at, doubt: true },
    });
  });
  if (policy === 'hold' && events.length > 0) events.push(...holdForDoubt(state, at));
  return events;
}

function byHand(command: HandCommand, state: QueueState): readonly QueueEvent[] {
  const { by, why, at } = command;
  if (state.done) return [];
  switch (command.type) {
    case 'Retry': {
      const rcpts = waitingOf(state, command.rcpts).filter(
        (rcpt) => !state.recipients[rcpt]!.asked,
      );
      return rcpts.length === 0
        ? []
        : [{ type: 'RetryRequested', v: 1, at, data: { by, why, rcpts } }];
    }
    case 'Hold':
      return state.held ? [] : [{ type: 'MessageHeld', v: 1, at, data: { by, why } }];
    case 'Release':
      return state.held ? [{ type: 'MessageReleased', v: 1, at, data: { by, why } }] : [];
    case 'Cancel': {
      const events = waitingOf(state, command.rcpts).map((rcpt): QueueEvent => {
        const { address } = state.recipients[rcpt]!;
        return { type: 'RecipientCancelled', v: 1, at, data: { by, why, rcpt, address } };
      });
      return [...events, ...settle(state, events, at)];
    }
    case 'Redirect': {
      const { rcpt, to } = command;
      const recipient = state.recipients[rcpt];
      if (recipient?.status !== 'waiting' || recipient.address === to) return [];
      return [{ type: 'RecipientRedirected', v: 1, at, data: { by, why, rcpt, to } }];
    }
  }
}

/** Recipients that an operator's command can still touch: a running attempt is beyond recall. */
function waitingOf(state: QueueState, asked: readonly RecipientNo[] | undefined): RecipientNo[] {
  const all = new Set(asked ?? state.recipients.keys());
  return [...all].filter((rcpt) => state.recipients[rcpt]?.status === 'waiting');
}

/** The letter settles with its last recipient: clean, or owing a bounce. */
function settle(
  state: QueueState,
  events: readonly QueueEvent[],
  at: Instant,
): readonly QueueEvent[] {
  const finished = events.filter((event) => event.type !== 'RecipientDeferred').length;
  if (finished === 0 || finished < state.unfinished) return [];
  const before = state.failures.map(({ rcpt }) => rcpt);
  const now = events.flatMap((event) =>
    event.type === 'RecipientFailed' ? [event.data.rcpt] : [],
  );
  const failed = [...before, ...now];
  if (failed.length === 0) return [cleanedUp(state.body.id, at)];
  return [{ type: 'MessageSettled', v: 1, at, data: { failed } }];
}

function settleBounce(command: SettleBounce, state: QueueState): readonly QueueEvent[] {
  const { bounce, at } = command;
  if (state.done || state.settledAt === undefined) return [];
  const said: QueueEvent =
    'discard' in bounce
      ? { type: 'BounceDiscarded', v: 1, at, data: { why: bounce.discard } }
      : { type: 'BounceQueued', v: 1, at, data: bounce };
  return [said, cleanedUp(state.body.id, at)];
}

const cleanedUp = (body: string, at: Instant): QueueEvent => ({
  type: 'MessageCleanedUp',
  v: 1,
  at,
  data: { body },
});
