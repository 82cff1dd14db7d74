/**
 * The channel `local`: one order in, one verdict per recipient out, in qmail's words.
 * Whatever goes wrong with one recipient defers that one; the others and the order go on.
 */
import { defer, finalize, from, map, mergeMap, toArray, type Observable } from 'rxjs';
import type { Owner } from '../../aliases/owner.ts';
import { splitAddress } from '../../mail/address.ts';
import { isTrouble } from '../../mail/trouble.ts';
import type { Outcome } from '../../mail/verdict.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Processes } from '../../platform/processes.ts';
import type { AttemptReport, Channel, Forward, Order } from '../../queue/ports.ts';
import { deliver, type Delivered } from './deliver.ts';
import type { DeliverParts, LocalSettings } from './delivery.ts';
import { directorySync } from './directory-sync.ts';
import { systemFiles, type FileCalls } from './file-calls.ts';
import type { Identity } from './identity.ts';
import { inTurn } from './in-turn.ts';
import type { KernelLock } from './kernel-lock.ts';
import { localLetter, type Letter } from './letter.ts';

export type LocalParts = {
  /** `undefined`: the empty local part, whose letters are taken and dropped. May reject with a `Trouble`. */
  readonly ownerOf: (local: string) => Promise<Owner | undefined>;
  /** Asked once per order, so that a reload counts from the next one. */
  readonly settings: () => LocalSettings;
  readonly identity: Identity;
  readonly processes: Processes;
  readonly clock: Clock;
  /** Absolute path of a private directory where programs' input may be written. */
  readonly scratchDirectory: string;
  /** What programs get from our own environment: PATH, TZ and the like; never the engine's secrets. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Hears of what nobody foresaw. The recipient is deferred all the same. */
  readonly onTrouble?: (cause: unknown) => void;
  readonly files?: FileCalls;
  readonly kernelLock?: KernelLock;
};

/** How many recipients of one order are delivered to at once. */
const recipientsAtOnce = 10;

/** Unsubscribing calls programs off. */
export function localChannel(parts: LocalParts): Channel {
  const files = parts.files ?? systemFiles;
  const tools = { ...parts, files, syncDirectory: directorySync(files), inTurn: inTurn() };
  return { attempt: (order) => untilUnsubscribed((callOff) => attempt(tools, order, callOff)) };
}

type Tools = LocalParts & DeliverParts;
type Recipient = Order['recipients'][number];
type Answer = { readonly outcome: Outcome; readonly forward?: Forward };

function attempt(tools: Tools, order: Order, callOff: AbortSignal): Observable<AttemptReport> {
  const letter = localLetter(order.body);
  const settings = tools.settings();
  const one = async (recipient: Recipient): Promise<Answer> => {
    const delivered = await deliverOne(tools, order, recipient, {
      letter,
      settings,
      callOff,
    }).catch((cause: unknown) => asDeferral(tools, cause));
    return answer(recipient, delivered);
  };
  return from(order.recipients).pipe(
    // mergeMap: a slow program of one user must not hold up the next.
    mergeMap(one, recipientsAtOnce),
    toArray(),
    map((answers) => reportOf(order, answers)),
  );
}

type Shared = {
  readonly letter: Letter;
  readonly settings: LocalSettings;
  readonly callOff: AbortSignal;
};

async function deliverOne(
  tools: Tools,
  { message, attempt: attemptNo, firstTry, returnPath }: Order,
  { rcpt, address }: Recipient,
  shared: Shared,
): Promise<Delivered> {
  const { local, domain = '' } = splitAddress(address);
  const owner = await tools.ownerOf(local);
  if (owner === undefined) return { verdict: { kind: 'delivered', reply: { text: '' } } };
  // Nothing of an earlier attempt can lie there when there was none for this recipient.
  const letterFacts = { message, rcpt, attempt: firstTry ? 1 : attemptNo, returnPath };
  return deliver(tools, { ...letterFacts, ...shared, local, domain, owner });
}

/** A `Trouble` says itself what may be told; anything else is told to us only. */
function asDeferral({ onTrouble }: LocalParts, cause: unknown): Delivered {
  onTrouble?.(cause);
  const text = isTrouble(cause) ? cause.peer : 'Temporary failure in local delivery. (#4.3.0)';
  return { verdict: { kind: 'deferred', reply: { text: `${text}\n` } } };
}

const answer = ({ rcpt }: Recipient, { verdict, forwarding }: Delivered): Answer => ({
  outcome: { rcpt, ...verdict },
  ...(forwarding === undefined ? {} : { forward: { rcpt, ...forwarding } }),
});

/** In the order's order, whoever was done first. */
function reportOf(order: Order, answers: readonly Answer[]): AttemptReport {
  const place = new Map(order.recipients.map(({ rcpt }, index) => [rcpt, index]));
  const sorted = [...answers].sort(
    (a, b) => (place.get(a.outcome.rcpt) ?? 0) - (place.get(b.outcome.rcpt) ?? 0),
  );
  const forwards = sorted.flatMap(({ forward }) => forward ?? []);
  const outcomes = sorted.map(({ outcome }) => outcome);
  return forwards.length === 0 ? { outcomes } : { outcomes, forwards };
}

const untilUnsubscribed = <T>(run: (callOff: AbortSignal) => Observable<T>): Observable<T> =>
  defer(() => {
    const caller = new AbortController();
    return run(caller.signal).pipe(finalize(() => caller.abort()));
  });
