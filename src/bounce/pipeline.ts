/**
 * From a settled failure to a report, a double bounce, or silence. A bounce is a letter with a parent,
 * named after that parent: making it again after a stop anywhere in between makes the same one.
 */
import { createHash } from 'node:crypto';
import { catchError, concatMap, defer, mergeMap, timer, type Observable } from 'rxjs';
import type { MessageId } from '../mail/envelope.ts';
import { deriveMessageId } from '../mail/message-id.ts';
import { isTrouble } from '../mail/trouble.ts';
import type { Clock } from '../platform/clock.ts';
import type { Bodies } from '../queue/bodies.ts';
import { joinBodies } from '../queue/child-body.ts';
import type { QueueIntake } from '../queue/intake.ts';
import type { Letters } from '../queue/letters.ts';
import type { BodySource } from '../queue/ports.ts';
import type { QueueState } from '../queue/state.ts';
import type { Spool } from '../spool/ports.ts';
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

/** A few at a time: a bounce copies a whole body, and bounces are never urgent. */
export function bounces(parts: Parts): Observable<unknown> {
  return parts.owing$.pipe(mergeMap((message) => settleSurely(message, parts), 8));
}

function settleSurely(message: MessageId, parts: Parts): Observable<unknown> {
  return defer(() => settle(message, parts)).pipe(
    catchError((cause: unknown) => {
      parts.onTrouble(message, cause);
      const waitMs = isTrouble(cause) && cause.tryAgain ? (parts.pauseMs ?? 123_000) : 3_600_000;
      return timer(waitMs).pipe(concatMap(() => settleSurely(message, parts)));
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
  const { intake, bodies, spool, settings, received } = parts;
  const at = state.settledAt!;
  const id = deriveMessageId(at, createHash('sha256').update(`bounce ${message}`).digest());
  const head = formatBounceHead({
    at,
    returnPath: state.returnPath,
    envelope,
    failures: state.failures,
    settings: settings(),
  });
  const original = await sourceOrApology(state, bodies);
  await intake.accept({
    id,
    envelope: { returnPath: envelope.returnPath, recipients: [envelope.recipient] },
    arrival: { protocol: 'bounce', eightBit: state.eightBit, utf8: state.utf8 },
    body: await joinBodies(spool, id, received(id, at) + head, original),
    parent: { message, why: envelope.kind },
  });
  return id;
}

/** A bounce must go out even when the body it should quote is lost. */
async function sourceOrApology(state: Readonly<QueueState>, bodies: Bodies): Promise<BodySource> {
  try {
    return await bodies.source(state.body);
  } catch (cause) {
    if (!isTrouble(cause)) throw cause;
    const inline = Buffer.from('(The message itself could not be read back any more.)\r\n');
    return { ref: state.body, inline, read: () => pieces(inline) };
  }
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
