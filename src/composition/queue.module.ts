/** The queue's mind and what it stands on: letters, agenda, scheduler, dispatch, bounces. */
import { ContainerModule } from 'inversify';
import { owingHere } from '../bounce/owing.ts';
import { bounces } from '../bounce/pipeline.ts';
import type { BounceSettings } from '../bounce/report.ts';
import type { ControlsInForce } from '../control/in-force.ts';
import { formatDate } from '../mail/date.ts';
import { wordsOf } from '../platform/logger.ts';
import { openBodies } from '../queue/bodies.ts';
import { queueIntake, type RulesInForce } from '../queue/intake.ts';
import { openLetters } from '../queue/letters.ts';
import { openOperator } from '../queue/operator.ts';
import { dispatch } from '../queue/pipeline.ts';
import { openRecorder } from '../queue/recorder.ts';
import { toRoutingRules } from '../queue/routing.ts';
import { Scheduler as SchedulerClass } from '../queue/scheduler.ts';
import type { ChannelName } from '../queue/ports.ts';
import { linkedChannel } from './links/order-link.ts';
import { unlessTold } from './log-watch.ts';
import * as t from './tokens.ts';

/** No attempt takes longer; after it the far side is let go of and the attempt is in doubt. */
export const attemptCeilingMs = 4 * 3_600_000;

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
          clock,
          ...(nodes.isMine === undefined ? {} : { isMine: nodes.isMine }),
          // A channel whose process is away has no slots, nor has any when the log cannot be written, or
          // others may think us dead: nothing is started that could not be made, or not be recorded.
          slots: () => {
            const { concurrencylocal, concurrencyremote } = controls.current.controls;
            const may = (name: ChannelName) =>
              health.trouble === undefined && hub.channel(name) !== undefined && nodes.mayStart();
            return {
              local: may('local') ? nodes.part(concurrencylocal) : 0,
              remote: may('remote') ? nodes.part(concurrencyremote) : 0,
            };
          },
        }),
      [t.Keeper, t.Controls, t.Hub, t.Health, t.Clock, t.Nodes],
    )
    .inSingletonScope();
  bind(t.Recorder)
    .toResolvedValue(
      (letters, bodies, spool, intake, rules, controls, config, clock, { self }) =>
        openRecorder({
          ...{ letters, bodies, spool, intake, rules, clock, self },
          doubtPolicy: config.log.inDoubt,
          limits: () => ({
            lifetimeSeconds: controls.current.controls.queuelifetime,
            ceilingMs: attemptCeilingMs,
          }),
        }),
      [
        ...([t.Letters, t.Bodies, t.Spool, t.Intake, t.Rules] as const),
        ...([t.Controls, t.ConfigToken, t.Clock, t.Nodes] as const),
      ],
    )
    .inSingletonScope();
  bind(t.Dispatch)
    .toResolvedValue(
      (scheduler, recorder, hub, health, logger) =>
        dispatch({
          ...{ scheduler, recorder },
          channels: {
            local: linkedChannel(
              () => hub.channel('local'),
              () => attemptCeilingMs,
            ),
            remote: linkedChannel(
              () => hub.channel('remote'),
              () => attemptCeilingMs,
            ),
          },
          untilWell$: health.well$,
          onTrouble: ({ message }, trouble) =>
            unlessTold(health, (cause) =>
              logger.error({ message, cause: wordsOf(cause) }, 'attempt set aside'),
            )(trouble),
        }),
      [t.Scheduler, t.Recorder, t.Hub, t.Health, t.Logger],
    )
    .inSingletonScope();
  bind(t.Bounces)
    .toResolvedValue(
      (keeper, letters, intake, bodies, spool, controls, clock, health, logger, nodes) =>
        bounces({
          ...{ letters, intake, bodies, spool, clock },
          owing$: owingHere(keeper, nodes),
          settings: () => bounceSettings(controls),
          received: (id, at) =>
            `Received: (waybill invoked for bounce) id ${id};\r\n  ${formatDate(at)}\r\n`,
          onTrouble: (message, trouble) =>
            unlessTold(health, (cause) =>
              logger.error({ message, cause: wordsOf(cause) }, 'bounce not made yet'),
            )(trouble),
        }),
      [
        ...([t.Keeper, t.Letters, t.Intake, t.Bodies, t.Spool] as const),
        ...([t.Controls, t.Clock, t.Health, t.Logger, t.Nodes] as const),
      ],
    )
    .inSingletonScope();
});

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
