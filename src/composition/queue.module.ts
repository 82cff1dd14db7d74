/** The queue's mind and what it stands on: letters, agenda, scheduler, dispatch, bounces. */
import { ContainerModule } from 'inversify';
import { owingHere } from '../bounce/owing.ts';
import { bounces } from '../bounce/pipeline.ts';
import type { BounceSettings } from '../bounce/report.ts';
import type { ControlsInForce } from '../control/in-force.ts';
import type { LogHealth } from '../log/health.ts';
import { formatDate } from '../mail/date.ts';
import type { MessageId } from '../mail/envelope.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Nodes } from '../nodes/ports.ts';
import type { Instant } from '../platform/clock.ts';
import { wordsOf, type Logger } from '../platform/logger.ts';
import { openBodies } from '../queue/bodies.ts';
import { queueIntake, type RulesInForce } from '../queue/intake.ts';
import { openLetters } from '../queue/letters.ts';
import { openOperator } from '../queue/operator.ts';
import { dispatch } from '../queue/pipeline.ts';
import { openRecorder } from '../queue/recorder.ts';
import type { Channel, ChannelName } from '../queue/ports.ts';
import { toRoutingRules } from '../queue/routing.ts';
import { Scheduler as SchedulerClass, type Slots } from '../queue/scheduler.ts';
import { asideTeller } from './aside-teller.ts';
import type { LinkHub } from './links/hub.ts';
import { linkedChannel } from './links/order-link.ts';
import { unlessTold } from './log-watch.ts';
import * as t from './tokens.ts';

/** No attempt takes longer; after it the far side is let go of and the attempt is in doubt. */
const attemptCeilingMs = 4 * 3_600_000;

export const queueModule = new ContainerModule(({ bind }) => {
  bind(t.Rules)
    .toResolvedValue((controls: ControlsInForce) => rulesOf(controls), [t.Controls])
    .inSingletonScope();
  bind(t.Letters)
    .toResolvedValue((log) => openLetters({ log }), [t.LettersLog])
    .inSingletonScope();
  bind(t.Bodies)
    .toResolvedValue((spool) => openBodies(spool), [t.Spool])
    .inSingletonScope();
  bind(t.Intake)
    .toResolvedValue(
      (letters, bodies, rules, clock, { log: { copyTo } }, { self }) =>
        queueIntake({ letters, bodies, rules, clock, copyTo, self }),
      [t.Letters, t.Bodies, t.Rules, t.Clock, t.ConfigToken, t.Nodes],
    )
    .inSingletonScope();
  bind(t.Operator)
    .toResolvedValue((letters, clock) => openOperator(letters, clock), [t.Letters, t.Clock])
    .inSingletonScope();
  bind(t.Scheduler)
    .toResolvedValue(
      (keeper, controls, hub, health, clock, nodes) =>
        new SchedulerClass(keeper.agenda.rows, {
          ...{ clock, slots: slotsIn({ controls, hub, health, nodes }) },
          ...(nodes.isMine === undefined ? {} : { isMine: nodes.isMine }),
        }),
      [t.Keeper, t.Controls, t.Hub, t.Health, t.Clock, t.Nodes],
    )
    .inSingletonScope();
  bind(t.Recorder)
    .toResolvedValue(
      (letters, bodies, spool, intake, rules, controls, { log }, clock, { self }) =>
        openRecorder({
          ...{ letters, bodies, spool, intake, rules, clock, self },
          ...{ doubtPolicy: log.inDoubt, limits: limitsIn(controls) },
        }),
      [
        ...([t.Letters, t.Bodies, t.Spool, t.Intake, t.Rules] as const),
        ...([t.Controls, t.ConfigToken, t.Clock, t.Nodes] as const),
      ],
    )
    .inSingletonScope();
  bind(t.Dispatch)
    .toResolvedValue(
      (scheduler, recorder, hub, health, logger) => {
        const complain = complainOf(health, logger, 'attempt set aside');
        return dispatch({
          ...{ scheduler, recorder, channels: channelsOf(hub), untilWell$: health.well$ },
          onTrouble: ({ message }, cause) => complain(message, cause),
        });
      },
      [t.Scheduler, t.Recorder, t.Hub, t.Health, t.Logger],
    )
    .inSingletonScope();
  bind(t.Bounces)
    .toResolvedValue(
      (keeper, letters, intake, bodies, spool, controls, clock, health, logger, nodes) =>
        bounces({
          ...{ letters, intake, bodies, spool, clock, received: receivedForBounce },
          owing$: owingHere(keeper, nodes),
          settings: () => bounceSettings(controls),
          onTrouble: complainOf(health, logger, 'bounce not made yet'),
        }),
      [
        ...([t.Keeper, t.Letters, t.Intake, t.Bodies, t.Spool] as const),
        ...([t.Controls, t.Clock, t.Health, t.Logger, t.Nodes] as const),
      ],
    )
    .inSingletonScope();
});

type SlotParts = {
  readonly controls: ControlsInForce;
  readonly hub: LinkHub;
  readonly health: LogHealth;
  readonly nodes: Nodes;
};

/**
 * A channel whose process is away has no slots, nor has any when the log cannot be written, or others may
 * think us dead: nothing is started that could not be made, or not be recorded.
 */
const slotsIn =
  ({ controls, hub, health, nodes }: SlotParts) =>
  (): Slots => {
    const { concurrencylocal, concurrencyremote } = controls.current.controls;
    const may = (name: ChannelName): boolean =>
      health.trouble === undefined && hub.channel(name) !== undefined && nodes.mayStart();
    return {
      local: may('local') ? nodes.part(concurrencylocal) : 0,
      remote: may('remote') ? nodes.part(concurrencyremote) : 0,
    };
  };

/** Asked anew each time: a reload changes what is in force. */
const limitsIn = (controls: ControlsInForce) => () => ({
  lifetimeSeconds: controls.current.controls.queuelifetime,
  ceilingMs: attemptCeilingMs,
});

const channelsOf = (hub: LinkHub): Record<ChannelName, Channel> => {
  const channel = (name: ChannelName): Channel =>
    linkedChannel(
      () => hub.channel(name),
      () => attemptCeilingMs,
    );
  return { local: channel('local'), remote: channel('remote') };
};

/** Of one letter; troubles of the log have been told already, a letter that is set aside is named once. */
const complainOf = (health: LogHealth, logger: Logger, what: string) => {
  const tellAside = asideTeller(logger);
  return (message: MessageId, trouble: unknown): void => {
    if (isTrouble(trouble, 'log-damaged')) tellAside(message, trouble.message);
    else {
      unlessTold(health, (cause) => logger.error({ message, cause: wordsOf(cause) }, what))(
        trouble,
      );
    }
  };
};

const receivedForBounce = (id: MessageId, at: Instant): string =>
  `Received: (waybill invoked for bounce) id ${id};\r\n  ${formatDate(at)}\r\n`;

/** The routing rules are derived once per reload, not once per recipient. */
function rulesOf(controls: ControlsInForce): () => RulesInForce {
  let of = controls.current;
  let rules: RulesInForce = { routing: toRoutingRules(of.controls), digest: of.digest };
  return () => {
    if (of !== controls.current) {
      of = controls.current;
      rules = { routing: toRoutingRules(of.controls), digest: of.digest };
    }
    return rules;
  };
}

function bounceSettings({ current }: ControlsInForce): BounceSettings {
  const { bouncefrom, bouncehost, doublebounceto, doublebouncehost, virtualdomains } =
    current.controls;
  return { bouncefrom, bouncehost, doublebounceto, doublebouncehost, virtualdomains };
}
