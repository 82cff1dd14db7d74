/**
 * The door for programs of this machine (qmail-queue's part of the trust): every local user may call,
 * and can do nothing here but hand in letters. Who called is asked of the kernel (`local-callers.ts`)
 * and written into `Received` and the record; what a caller says of itself is recorded as that.
 *
 * Requests, in this order: `hello` (pid, user) → id, path, word; the caller makes the link; `to` and
 * `write` any number of times; `accept` (sender), answered with the id of the next letter when event
 * and body are forced to disk; or `abandon`. Names of letters are ours to give: a caller could name somebody else's.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../platform/clock.ts';
import type { LocalCallers } from '../../platform/local-callers.ts';
import { openLink, type Handlers } from '../../platform/link.ts';
import { Trouble } from '../../mail/trouble.ts';
import type { Intake } from '../ports.ts';
import { incomingLetter, type LocalCaller } from './incoming.ts';

export type InjectDoorParts = {
  readonly intake: Intake;
  readonly callers: LocalCallers;
  readonly clock: Clock;
  readonly report: (what: string, cause: unknown) => void;
  readonly limits?: Partial<InjectLimits>;
};

export type InjectLimits = {
  /** Callers at once, and of one user. */
  readonly calls: number;
  readonly callsOfUser: number;
  /** How long a caller may take to say who it is, and to do nothing. */
  readonly proofMs: number;
  readonly idleMs: number;
};

const defaultLimits: InjectLimits = {
  calls: 400,
  callsOfUser: 100,
  proofMs: 10_000,
  // A program may write its letter as it comes to know it; qmail-queue gave it a day.
  idleMs: 3_600_000,
};

/** What one caller can make us hold at once: a frame's JSON and its bytes. */
const linkLimits = { jsonBytes: 512 * 1024, bodyBytes: 256 * 1024, served: 16 } as const;

export interface InjectDoor {
  /** One caller's connection. */
  take(stream: Duplex): void;
  readonly calls: number;
}

export function injectDoor(parts: InjectDoorParts): InjectDoor {
  const limits = { ...defaultLimits, ...parts.limits };
  const ofUser = new Map<number, number>();
  let calls = 0;

  const seat = (uid: number): void => {
    const seated = ofUser.get(uid) ?? 0;
    if (seated >= limits.callsOfUser) throw tooMany();
    ofUser.set(uid, seated + 1);
  };
  const rise = (uid: number): void => {
    const left = (ofUser.get(uid) ?? 1) - 1;
    if (left === 0) ofUser.delete(uid);
    else ofUser.set(uid, left);
  };

  const serve = (stream: Duplex): void => {
    const { callers, clock, intake } = parts;
    const challenge = callers.challenge();
    let says: SaysOfItself = { pid: 0 };
    let uid: number | undefined;
    const caller = (): LocalCaller => ({ uid: uid!, ...says });
    const letter = () => incomingLetter(intake.begin(), { clock, caller });
    let incoming = letter();
    let cancel = clock.after(limits.proofMs, () => stream.destroy());
    let turn: Promise<unknown> = Promise.resolve();

    /** One thing after the other, and nothing before we know who asks. */
    const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
      if (uid === undefined) {
        const found = callers.uidOf(challenge);
        if (found === undefined) throw nobodyKnows();
        seat(found);
        uid = found;
      }
      cancel();
      cancel = clock.after(limits.idleMs, () => stream.destroy());
      const result = turn.then(work);
      turn = result.catch(() => undefined);
      return result;
    };
    const handlers: Handlers = {
      hello: (args) => {
        says = readHello(args);
        return { value: { id: incoming.id, ...challenge } };
      },
      to: (args) => inTurn(async () => incoming.to((args as { recipients: unknown }).recipients)),
      write: (_args, bytes) =>
        inTurn(() => (bytes === undefined ? Promise.resolve() : incoming.write(bytes))),
      accept: (args, bytes) =>
        inTurn(async () => {
          if (bytes !== undefined) await incoming.write(bytes);
          const { sender } = args as { sender: unknown };
          const id = await incoming.accept(sender).finally(() => {
            // Taken or not, the next one has nothing to do with it.
            incoming.abandon();
            incoming = letter();
          });
          return { value: { id, next: incoming.id } };
        }),
      abandon: () =>
        inTurn(async () => {
          incoming.abandon();
          incoming = letter();
          return { value: { next: incoming.id } };
        }),
    };
    const link = openLink(stream, handlers, {
      limits: linkLimits,
      onBug: (cause) => parts.report('inject', cause),
    });
    calls += 1;
    void link.closed.then(() => {
      calls -= 1;
      cancel();
      incoming.abandon();
      if (uid === undefined) callers.forget(challenge);
      else rise(uid);
    });
  };

  return {
    take(stream) {
      // Without a word: who calls is told by its own side that nobody answered, and tries again later.
      if (calls >= limits.calls) stream.destroy();
      else serve(stream);
    },
    get calls() {
      return calls;
    },
  };
}

type SaysOfItself = Omit<LocalCaller, 'uid'>;

/** Whatever it says is harmless: a whole number, and a short text. */
function readHello(args: unknown): SaysOfItself {
  const { pid, user } = args as { pid: unknown; user: unknown };
  return {
    pid: Number.isSafeInteger(pid) ? (pid as number) : 0,
    ...(typeof user === 'string' && { user: user.slice(0, 200) }),
  };
}

const nobodyKnows = () =>
  new Trouble('refused', { tryAgain: true, peer: 'cannot tell who calls (#4.7.0)' });

const tooMany = () =>
  new Trouble('busy', { tryAgain: true, peer: 'too many letters at once (#4.3.2)' });
