/** Valid events and commands of the queue; a test states only what matters to it. Times are seconds of age. */
import type { Address, RecipientNo } from '../../src/mail/envelope.ts';
import type { Outcome, Reply, VerdictKind } from '../../src/mail/verdict.ts';
import type {
  AcceptMessage,
  DoubtAttempt,
  QueueCommand,
  RecordReport,
  StartAttempt,
} from '../../src/queue/commands.ts';
import type { QueueEvent, Route } from '../../src/queue/events.ts';

export const birth = Date.UTC(2026, 0, 1);
export const age = (seconds: number): number => birth + seconds * 1000;

export const message = '019b7654-0c00-7000-8000-000000000001';
export const body = { id: message, bytes: 12, sha256: 'ab'.repeat(32) };
export const controls = 'rules of the day';
export const week = 604_800;
export const hourMs = 3_600_000;

/** `…@here.test` lives here, everybody else elsewhere. */
export const way = (address: Address): Route => {
  const host = address.slice(address.lastIndexOf('@') + 1);
  return host === 'here.test'
    ? { channel: 'local', hop: { host: '' }, address, rule: 'locals: here.test' }
    : { channel: 'remote', hop: { host }, address, rule: 'default: remote' };
};

/** The letter as it stands after it was accepted: both events. */
export function letter(...recipients: Address[]): QueueEvent[] {
  return letterFrom('joe@here.test', ...recipients);
}

export function letterFrom(returnPath: Address, ...recipients: Address[]): QueueEvent[] {
  const envelope = { returnPath, recipients };
  const arrival = { protocol: 'ESMTP' as const };
  const routes = recipients.map(way);
  return [
    { type: 'MessageAccepted', v: 1, at: birth, data: { envelope, body, arrival } },
    { type: 'MessageQueued', v: 1, at: birth, data: { routes, controls } },
  ];
}

export const reply: Reply = { text: 'Remote host said: hello\n', code: 250 };

type StartedOptions = {
  readonly attempt?: number;
  readonly rcpts?: readonly RecipientNo[];
  readonly at?: number;
  readonly last?: boolean;
  readonly why?: 'first' | 'retry' | 'asked';
};

/** The attempt to the first recipients, by the addresses given. */
export function started(addresses: readonly Address[], options: StartedOptions = {}): QueueEvent {
  const { attempt = 1, rcpts = [...addresses.keys()], at = 0, last = false } = options;
  const why = options.why ?? (attempt === 1 ? 'first' : 'retry');
  const data = { attempt, rcpts, routes: addresses.map(way), controls, why, last };
  return {
    type: 'AttemptStarted',
    v: 1,
    at: age(at),
    data: { ...data, untilAt: age(at) + hourMs },
  };
}

type TriedOptions = {
  readonly attempt?: number;
  readonly startedAt?: number;
  readonly at?: number;
};

const tried = (
  rcpt: RecipientNo,
  address: Address,
  { attempt = 1, startedAt = 0 }: TriedOptions,
) => ({
  rcpt,
  address,
  attempt,
  startedAt: age(startedAt),
  reply,
});

export const delivered = (
  rcpt: RecipientNo,
  address: Address,
  options: TriedOptions = {},
): QueueEvent => ({
  type: 'RecipientDelivered',
  v: 1,
  at: age(options.at ?? 0),
  data: tried(rcpt, address, options),
});

export const failed = (
  rcpt: RecipientNo,
  address: Address,
  options: TriedOptions = {},
): QueueEvent => ({
  type: 'RecipientFailed',
  v: 1,
  at: age(options.at ?? 0),
  data: tried(rcpt, address, options),
});

export const deferred = (
  rcpt: RecipientNo,
  address: Address,
  due: number,
  options: TriedOptions = {},
): QueueEvent => ({
  type: 'RecipientDeferred',
  v: 1,
  at: age(options.at ?? 0),
  data: { ...tried(rcpt, address, options), dueAt: age(due) },
});

export const settled = (rcpts: readonly RecipientNo[], at = 0): QueueEvent => ({
  type: 'MessageSettled',
  v: 1,
  at: age(at),
  data: { failed: rcpts },
});

export const cleanedUp = (at = 0): QueueEvent => ({
  type: 'MessageCleanedUp',
  v: 1,
  at: age(at),
  data: { body: body.id },
});

export const hand = { by: 'postmaster', why: 'a test' } as const;

export const held = (at = 0): QueueEvent => ({
  type: 'MessageHeld',
  v: 1,
  at: age(at),
  data: hand,
});

export const released = (at = 0): QueueEvent => ({
  type: 'MessageReleased',
  v: 1,
  at: age(at),
  data: hand,
});

export const cancelled = (rcpt: RecipientNo, address: Address, at = 0): QueueEvent => ({
  type: 'RecipientCancelled',
  v: 1,
  at: age(at),
  data: { ...hand, rcpt, address },
});

export const retryRequested = (rcpts: readonly RecipientNo[], at = 0): QueueEvent => ({
  type: 'RetryRequested',
  v: 1,
  at: age(at),
  data: { ...hand, rcpts },
});

export const redirected = (rcpt: RecipientNo, to: Address, at = 0): QueueEvent => ({
  type: 'RecipientRedirected',
  v: 1,
  at: age(at),
  data: { ...hand, rcpt, to },
});

// ---- commands

export const accept = (...recipients: Address[]): AcceptMessage => ({
  type: 'AcceptMessage',
  envelope: { returnPath: 'joe@here.test', recipients },
  body,
  arrival: { protocol: 'ESMTP' },
  routes: recipients.map(way),
  controls,
  at: birth,
});

export const start = (
  addresses: readonly Address[],
  options: { readonly rcpts?: readonly RecipientNo[]; readonly at?: number } = {},
): StartAttempt => ({
  type: 'StartAttempt',
  rcpts: options.rcpts ?? [...addresses.keys()],
  routes: addresses.map(way),
  controls,
  at: age(options.at ?? 0),
  lifetimeSeconds: week,
  ceilingMs: hourMs,
});

export const outcome = (kind: VerdictKind, rcpt: RecipientNo, said: Reply = reply): Outcome => ({
  rcpt,
  kind,
  reply: said,
});

export const report = (
  outcomes: readonly Outcome[],
  { attempt = 1, at = 0 }: { readonly attempt?: number; readonly at?: number } = {},
): RecordReport => ({ type: 'RecordReport', attempt, outcomes, at: age(at) });

export const verdict = (
  kind: VerdictKind,
  rcpt: RecipientNo,
  options: { readonly attempt?: number; readonly at?: number } = {},
): RecordReport => report([outcome(kind, rcpt)], options);

export const doubt = (options: Partial<DoubtAttempt> = {}): DoubtAttempt => ({
  type: 'DoubtAttempt',
  attempt: 1,
  policy: 'retry',
  why: 'Delivery was interrupted by a restart.',
  at: birth,
  ...options,
});

export const byHand = (
  type: 'Retry' | 'Cancel',
  rcpts?: readonly RecipientNo[],
  at = 0,
): QueueCommand => ({ type, ...hand, at: age(at), ...(rcpts === undefined ? {} : { rcpts }) });

export const hold = (at = 0): QueueCommand => ({ type: 'Hold', ...hand, at: age(at) });
export const release = (at = 0): QueueCommand => ({ type: 'Release', ...hand, at: age(at) });
export const redirect = (rcpt: RecipientNo, to: Address, at = 0): QueueCommand => ({
  type: 'Redirect',
  ...hand,
  rcpt,
  to,
  at: age(at),
});
