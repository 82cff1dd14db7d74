/**
 * From a settled failure to a report, a double bounce, or silence. A bounce is a letter with a parent,
 * named after that parent: making it again after a stop anywhere in between makes the same one.
 */
import { createHash } from 'node:crypto';
import {
  catchError,
  concatMap,
  defer,
  expand,
  ignoreElements,
  mergeMap,
  of,
  timer,
  type Observable,
} from 'rxjs';
import type { BodyRef, MessageId } from '../mail/envelope.ts';
import { deriveMessageId } from '../mail/message-id.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import type { Bodies } from '../queue/bodies.ts';
import { joinBodies } from '../queue/child-body.ts';
import type { QueueIntake } from '../queue/intake.ts';
import type { Letters } from '../queue/letters.ts';
import type { QueueState } from '../queue/state.ts';
import type { Spool, StagedBody } from '../spool/ports.ts';
import {
  bounceEnvelope,
  formatBounceHead,
  type BounceEnvelope,
  type BounceSettings,
} from './report.ts';

export type Parts = {
  /** Settled letters with failures: those found at the start, then each as it settles. */
  readonly owing$: Observable<MessageId>;
  readonly letters: Letters;
  readonly intake: QueueIntake;
  readonly bodies: Bodies;
  readonly spool: Spool;
  readonly settings: () => BounceSettings;
  /** The lines above the bounce's own header: its `Received:` line. */
  readonly received: (id: MessageId, at: number) => string;
  readonly clock: Clock;
  readonly onTrouble: (message: MessageId, cause: unknown) => void;
  /** qmail-send waits 123 s after trouble of its own. */
  readonly pauseMs?: number;
};

/**
 * A few at a time: a bounce copies a whole body, and bounces are never urgent. A letter in trouble is
 * tried again later, outside that number, so that no handful of bad ones holds up the rest.
 */
export function bounces(parts: Parts): Observable<unknown> {
  return parts.owing$.pipe(
    mergeMap((message) => settleOnce(message, parts), 8),
    expand(({ message, waitMs }) =>
      timer(waitMs).pipe(concatMap(() => settleOnce(message, parts))),
    ),
  );
}

type Again = { readonly message: MessageId; readonly waitMs: number };

/** Ends without a word when all is done, else says when to try again. */
function settleOnce(message: MessageId, parts: Parts): Observable<Again> {
  return defer(() => settle(message, parts)).pipe(
    ignoreElements(),
    catchError((cause: unknown) => {
      parts.onTrouble(message, cause);
      const soon = isTrouble(cause) && cause.tryAgain;
      return of({ message, waitMs: soon ? (parts.pauseMs ?? 123_000) : 3_600_000 });
    }),
  );
}

async function settle(message: MessageId, parts: Parts): Promise<void> {
  const { letters, settings, clock } = parts;
  const state = await letters.state(message);
  if (state.done || state.settledAt === undefined) return;
  const envelope = bounceEnvelope(state.returnPath, settings());
  if (envelope.kind === 'discard') {
    const bounce = { discard: envelope.why };
    await letters.handle(message, { type: 'SettleBounce', bounce, at: clock.now() });
    return;
  }
  const child = await acceptBounce(message, state, envelope, parts);
  const bounce = { child, kind: envelope.kind, to: envelope.recipient };
  await letters.handle(message, { type: 'SettleBounce', bounce, at: clock.now() });
}

async function acceptBounce(
  message: MessageId,
  state: Readonly<QueueState>,
  envelope: BounceEnvelope,
  parts: Parts,
): Promise<MessageId> {
  const { intake, settings, received } = parts;
  const at = state.settledAt!;
  const id = deriveMessageId(at, createHash('sha256').update(`bounce ${message}`).digest());
  const head = formatBounceHead({
    at,
    returnPath: state.returnPath,
    envelope,
    failures: state.failures,
    settings: settings(),
  });
  const prefix = received(id, at) + head;
  await intake.accept({
    id,
    envelope: { returnPath: envelope.returnPath, recipients: [envelope.recipient] },
    arrival: { protocol: 'bounce', eightBit: state.eightBit, utf8: state.utf8 },
    body: await quote(state.body, prefix, id, parts),
    parent: { message, why: envelope.kind },
  });
  return id;
}

/** A bounce must go out even when the body it should quote is lost. */
async function quote(
  ref: BodyRef,
  prefix: string,
  id: MessageId,
  { bodies, spool }: Parts,
): Promise<StagedBody> {
  try {
    return await joinBodies(spool, id, prefix, await bodies.source(ref));
  } catch (cause) {
    if (!isTrouble(cause, 'body-missing') && !isTrouble(cause, 'body-damaged')) throw cause;
    return spool.stage(id, Buffer.from(prefix + apology));
  }
}

const apology = '(The message itself could not be read back any more.)\r\n';
