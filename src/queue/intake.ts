/**
 * Where every letter enters: body staged, recipients routed, then one append that is the promise.
 * Doors, forwards and bounces all come through here.
 */
import type { Arrival, Envelope, MessageId } from '../mail/envelope.ts';
import type { Incarnation } from '../nodes/events.ts';
import type { Clock } from '../platform/clock.ts';
import type { StagedBody } from '../spool/ports.ts';
import type { Bodies } from './bodies.ts';
import type { Parent } from './events.ts';
import type { Letters } from './letters.ts';
import { route, type RoutingRules } from './routing.ts';

/** The rules of now: the control files' values and their digest. */
export type RulesInForce = { readonly routing: RoutingRules; readonly digest: string };

export type Entry = {
  readonly id: MessageId;
  readonly envelope: Envelope;
  readonly arrival: Arrival;
  readonly body: StagedBody;
  readonly parent?: Parent;
};

export interface QueueIntake {
  /**
   * Resolves when event and body are forced to disk. Accepting a letter that is there already
   * (a bounce or forward made again after a crash) resolves, too, and changes nothing.
   */
  accept(entry: Entry): Promise<void>;
}

export function queueIntake(parts: {
  readonly letters: Letters;
  readonly bodies: Bodies;
  readonly rules: () => RulesInForce;
  readonly clock: Clock;
  /** First recipient of every letter, if any (qmail-queue.c QUEUE_EXTRA). */
  readonly copyTo?: string | undefined;
  /** This node, where several share the log: the letters are its own. */
  readonly self?: Incarnation | undefined;
}): QueueIntake {
  const { letters, bodies, rules, clock, copyTo, self } = parts;
  return {
    async accept({ id, envelope: asked, arrival, body, parent }) {
      const { routing, digest } = rules();
      const envelope =
        copyTo === undefined ? asked : { ...asked, recipients: [copyTo, ...asked.recipients] };
      // Before the append: with its publication the first attempt may begin.
      if (body.inline !== undefined) bodies.keep(body.ref, body.inline);
      try {
        await letters.handle(
          id,
          {
            type: 'AcceptMessage',
            envelope,
            body: body.ref,
            arrival,
            ...(parent === undefined ? {} : { parent }),
            routes: envelope.recipients.map((recipient) => route(recipient, routing)),
            controls: digest,
            ...(self === undefined ? {} : { owner: self }),
            at: clock.now(),
          },
          body,
        );
      } catch (cause) {
        bodies.forget(id);
        throw cause;
      }
    },
  };
}
