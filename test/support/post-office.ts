/**
 * The queue's whole mind in one process: log and spool in memory, channels by script, time by hand.
 * `crash` drops everything but the log and the spool, as a power cut would.
 */
import { concatMap, tap, type Observable, type Subscription } from 'rxjs';
import { owingHere } from '../../src/bounce/owing.ts';
import { bounces } from '../../src/bounce/pipeline.ts';
import { parseControls } from '../../src/control/controls.ts';
import type { EventLog, RecordedEvent } from '../../src/log/ports.ts';
import type { Address, MessageId } from '../../src/mail/envelope.ts';
import type { ManualClock } from '../../src/platform/clock.ts';
import { alone } from '../../src/nodes/alone.ts';
import type { Membership } from '../../src/nodes/membership.ts';
import { doubts } from '../../src/queue/adoption.ts';
import { keepAgenda, type AgendaKeeper } from '../../src/queue/agenda-keeper.ts';
import { openBodies, type Bodies } from '../../src/queue/bodies.ts';
import { queueIntake, type QueueIntake } from '../../src/queue/intake.ts';
import { openLetters, type Letters } from '../../src/queue/letters.ts';
import { openOperator, type Operator } from '../../src/queue/operator.ts';
import { dispatch } from '../../src/queue/pipeline.ts';
import type { Channel } from '../../src/queue/ports.ts';
import { openRecorder, type Recorder } from '../../src/queue/recorder.ts';
import { resolveDoubts, type Recovered } from '../../src/queue/recovery.ts';
import { toRoutingRules } from '../../src/queue/routing.ts';
import { Scheduler, type Slots } from '../../src/queue/scheduler.ts';
import type { Spool } from '../../src/spool/ports.ts';
import { turnOfTheLoop } from './faulty-log.ts';
import { hourMs, week } from './queue-mail.ts';

export type PostOfficeParts = {
  readonly log: EventLog;
  /** As letters are written to it, where that is another. */
  readonly lettersLog?: Pick<EventLog, 'append' | 'readStream'>;
  readonly spool: Spool;
  readonly clock: ManualClock;
  readonly channel: Channel;
  readonly slots?: () => Slots;
  /** Control files by name; `me` is here.test. */
  readonly controls?: () => { readonly [name: string]: string };
  readonly inDoubt?: 'retry' | 'hold';
  readonly checkpoint?: string;
  readonly lifetimeSeconds?: number;
  readonly keepLetters?: number;
  /** Where several share the log; made anew with each life. */
  readonly node?: (letters: Letters, clock: ManualClock) => Membership;
};

export type PostOffice = {
  readonly keeper: AgendaKeeper;
  readonly letters: Letters;
  readonly bodies: Bodies;
  readonly intake: QueueIntake;
  readonly operator: Operator;
  readonly scheduler: Scheduler;
  readonly recorder: Recorder;
  readonly recovered: Recovered;
  readonly node: Membership | undefined;
  /** Troubles and bugs that the pipelines met. */
  readonly troubles: unknown[];
  /** What stopped a pipeline; nothing may. */
  readonly fatal: unknown[];
  post(
    id: MessageId,
    returnPath: Address,
    recipients: readonly Address[],
    text?: string,
  ): Promise<void>;
  crash(): void;
};

const none = (): { readonly [name: string]: string } => ({});

export async function openPostOffice(parts: PostOfficeParts): Promise<PostOffice> {
  const { log, spool, clock, channel, controls = none, slots, checkpoint, keepLetters } = parts;
  const settings = () => parseControls({ me: 'here.test\n', ...controls() }).controls;
  const rules = () => ({ routing: toRoutingRules(settings()), digest: JSON.stringify(controls()) });
  const letters = openLetters({
    log: parts.lettersLog ?? log,
    ...(keepLetters === undefined ? {} : { keep: keepLetters }),
  });
  const node = parts.node?.(letters, clock);
  const among = node === undefined ? {} : { isMine: node.isMine };
  const keeper = keepAgenda({
    ...{ log, ...among },
    ...(checkpoint === undefined ? {} : { file: checkpoint }),
    ...(node === undefined ? {} : { beside: node.ledger }),
  });
  const bodies = openBodies(spool);
  const self = node?.self;
  const intake = queueIntake({ letters, bodies, rules, clock, self });
  const scheduler = new Scheduler(keeper.agenda.rows, {
    ...{ clock, ...among },
    slots: slots ?? (() => ({ local: 10, remote: 20 })),
  });
  const limits = () => ({ lifetimeSeconds: parts.lifetimeSeconds ?? week, ceilingMs: hourMs });
  const recorder = openRecorder({ letters, bodies, spool, intake, rules, limits, clock, self });
  const troubles: unknown[] = [];
  const fatal: unknown[] = [];
  const running: Subscription[] = [];
  const run = (pipeline: Observable<unknown>) =>
    running.push(pipeline.subscribe({ error: (cause: unknown) => fatal.push(cause) }));
  const policy = parts.inDoubt ?? 'retry';
  const { agenda } = keeper;
  const onTrouble = (_: unknown, cause: unknown) => troubles.push(cause);
  await node?.lease.open();
  if (node !== undefined) {
    run(node.follow$);
    run(node.moved$.pipe(tap((message) => scheduler.reconsider(message))));
    run(node.changed$.pipe(tap(() => scheduler.stir())));
    run(doubts(node.adopted$, { ...{ agenda, letters, clock, policy, onTrouble }, ...node }));
  }
  const owing$ = owingHere(keeper, node ?? alone);
  run(keeper.follow$);
  await keeper.caughtUp;
  const recovered = await resolveDoubts({ ...{ agenda, letters, policy, clock }, ...among });
  for (const message of recovered.unreadable) scheduler.park(message);
  const channels = { local: channel, remote: channel };
  run(dispatch({ scheduler, channels, recorder, onTrouble, pauseMs: 0 }));
  const received = (id: string) => `Received: (waybill invoked for bounce) id ${id}\r\n`;
  const bounceParts = { letters, intake, bodies, spool, clock, settings, received, onTrouble };
  run(keeper.ended$.pipe(concatMap((id) => spool.remove([id]))));
  run(bounces({ ...bounceParts, owing$, pauseMs: 0 }));
  for (const message of agenda.aside.keys()) scheduler.park(message);
  run(keeper.aside$.pipe(tap((message) => scheduler.park(message))));
  scheduler.start();
  return {
    ...{ keeper, letters, bodies, intake, operator: openOperator(letters, clock) },
    ...{ scheduler, recorder, recovered, troubles, fatal, node },
    async post(id, returnPath, recipients, text = `Subject: ${id}\r\n\r\nhello\r\n`) {
      const body = await spool.stage(id, Buffer.from(text));
      const arrival = { protocol: 'ESMTP' } as const;
      await intake.accept({ id, envelope: { returnPath, recipients }, arrival, body });
    },
    crash() {
      scheduler.stop();
      for (const subscription of running) subscription.unsubscribe();
    },
  };
}

/** Lets everything happen that needs no time to pass. */
export async function settle(turns = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await turnOfTheLoop();
}

/** As `settle`, for the pauses after troubles: rxjs gives even those of 0 ms to a timer. */
export async function settleWithPauses(pauses = 10): Promise<void> {
  for (let pause = 0; pause < pauses; pause += 1) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await settle(3);
  }
}

/** Lets time pass from one alarm to the next, at most until `until`. */
export async function pass(clock: ManualClock, until: number): Promise<void> {
  await settle();
  for (let next = clock.next(); next !== undefined && next <= until; next = clock.next()) {
    clock.advanceTo(next);
    await settle();
  }
  clock.advanceTo(until);
}

export const everything = (log: EventLog): Promise<readonly RecordedEvent[]> =>
  log.readAll({ limit: 1_000_000 });

/** `REVISION TYPE` of one letter's story, as far as it matters: types only. */
export async function typesOf(log: EventLog, message: MessageId): Promise<string[]> {
  return (await log.readStream(`message-${message}`)).map(({ type }) => type);
}
