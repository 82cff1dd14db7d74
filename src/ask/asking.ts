/**
 * One question that is being asked; one of other people's in a cage of its own. What the question does is never thrown: it parks
 * the question, which then keeps its last answer.
 */
import type { Position, StreamName } from '../log/ports.ts';
import type { Instant } from '../platform/clock.ts';
import { openCage, uncaged, type Cage } from './cage/cage.ts';
import type { Read } from './cage/fold-order.ts';
import { declaredBy } from './cage/inmate.ts';
import type { Limits, Order, Reply } from './cage/orders.ts';
import { CageDied, type CageOptions } from './cage/process.ts';
import { OptionMistake } from './given.ts';
import type { Answer, Given, Named, Parked, Question } from './ports.ts';
import type { Unfit } from './question-file.ts';

export type Folded = {
  /** What the events had to say, of a question that goes line by line. */
  readonly lines: readonly string[];
  /** Processor time in the cage, milliseconds. */
  readonly ranMs: number;
};

export interface Asking {
  readonly named: Named;
  readonly given: Given;
  /** The only stream that it hears, where there is just one. */
  readonly stream: StreamName | undefined;
  /** The last event that it took, or passed over. */
  readonly position: Position;
  readonly parked: Parked | undefined;
  /**
   * Tells it those of these events that are its business; the last of them is then its position. The next may be
   * told before the answer to the last has come.
   */
  fold(events: readonly Read[]): Promise<Folded>;
  /** As it stands; of a parked question the last one that it gave, if any. */
  answer(now: Instant): Promise<Answer | undefined>;
  /** The same question before the first event, in another cage. */
  again(): Promise<Asking>;
  close(): void;
}

/** A file that is loaded; its options are not known yet. */
export interface Caged {
  readonly named: Named;
  /** Throws `OptionMistake`. */
  start(given: Given): Promise<Asking>;
  close(): void;
}

export type CagedIn = Partial<Limits> &
  Omit<CageOptions, keyof Limits> & {
    /** So much later than a limit a process is ended that gives no sign of life; default 8,000 milliseconds. */
    readonly graceMs?: number;
  };

const usual: Limits = { loadMs: 5_000, callMs: 2_000, answerMs: 30_000, heapMiB: 1_024 };

/** The question in a file, loaded into a cage; or why it is none. */
export async function openCaged(
  name: string,
  file: string,
  how: CagedIn = {},
): Promise<Caged | Unfit> {
  const limits = { ...usual, ...how };
  const cage = openCage(limits);
  try {
    const loaded = await say(cage, limits, { kind: 'load', file });
    if (loaded.kind === 'loaded') {
      const named = { name, question: loaded.declared };
      return toStart({ named, limits, cage, reopen: () => openCaged(name, file, how) });
    }
    cage.close();
    return unfit(loaded);
  } catch (cause) {
    cage.close();
    return { why: (cause as Error).message };
  }
}

/** A question of our own, which needs no cage. */
export function openUncaged(name: string, question: Question, how: Partial<Limits> = {}): Caged {
  const limits = { ...usual, ...how };
  const named = { name, question: declaredBy(question) };
  const reopen = async () => openUncaged(name, question, how);
  return toStart({ named, limits, cage: uncaged(limits, question), reopen });
}

type Parts = {
  readonly named: Named;
  readonly limits: Timed;
  readonly cage: Cage;
  /** The same once more. */
  readonly reopen: () => Promise<Caged | Unfit>;
};

function toStart(parts: Parts): Caged {
  const { named, limits, cage } = parts;
  return {
    named,
    async start(given) {
      const reply = await say(cage, limits, { kind: 'start', given });
      if (reply.kind !== 'started') throw mistakeOf(reply);
      return new InCage(parts, given, reply.stream);
    },
    close: () => cage.close(),
  };
}

function unfit(reply: Reply): Unfit {
  if (reply.kind !== 'unfit') return { why: 'it gave no answer' };
  const { line, why } = reply;
  return { why, ...(line === undefined ? {} : { line }) };
}

const mistakeOf = (reply: Reply): OptionMistake =>
  new OptionMistake(reply.kind === 'mistaken' ? reply.words : 'it gave no answer');

type Timed = Limits & { readonly graceMs?: number };

function say(cage: Cage, limits: Timed, order: Order): Promise<Reply> {
  return cage.say(order, patienceFor(order.kind, limits));
}

function patienceFor(kind: Order['kind'], limits: Timed): number {
  const { loadMs, callMs, answerMs, graceMs = 8_000 } = limits;
  return graceMs + { load: loadMs, start: loadMs, fold: 2 * callMs, answer: answerMs }[kind];
}

class InCage implements Asking {
  readonly given: Given;
  readonly stream: StreamName | undefined;
  readonly #parts: Parts;
  readonly #hears: ReadonlySet<string> | undefined;
  #position: Position = 0;
  #parked: Parked | undefined;
  #kept: Answer | undefined;
  #before: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts, given: Given, stream: StreamName | undefined) {
    const { hears } = parts.named.question;
    [this.#parts, this.given, this.stream] = [parts, given, stream];
    this.#hears = hears === undefined ? undefined : new Set<string>(hears);
  }

  get named(): Named {
    return this.#parts.named;
  }
  get position(): Position {
    return this.#position;
  }
  get parked(): Parked | undefined {
    return this.#parked;
  }

  fold(events: readonly Read[]): Promise<Folded> {
    const own = events.filter((event) => this.#isFor(event));
    const reply = own.length === 0 ? undefined : this.#told(own);
    return (this.#before = this.#folded(this.#before, reply, events.at(-1)));
  }

  /** In the order in which they were told. */
  async #folded(
    before: Promise<unknown>,
    replying: Promise<FoldReply | undefined> | undefined,
    last: Read | undefined,
  ): Promise<Folded> {
    await before;
    const reply = await replying;
    if (last === undefined || this.#parked !== undefined) return nothing;
    if (reply === undefined || reply.parked === undefined) {
      this.#position = last.position;
      return reply === undefined ? nothing : toFolded(reply);
    }
    this.#park(reply.parked, reply.position);
    return toFolded(reply);
  }

  async answer(now: Instant): Promise<Answer | undefined> {
    if (this.#parked !== undefined || this.named.question.byLine === true) return this.#kept;
    const { cage, limits } = this.#parts;
    try {
      const asked = { position: this.#position, now };
      const reply = await say(cage, limits, { kind: 'answer', asked });
      if (reply.kind === 'answered') {
        if (reply.answer !== undefined) this.#kept = revived(reply.answer);
        if (reply.parked !== undefined) this.#park(reply.parked);
      }
    } catch (cause) {
      this.#died('answer', cause);
    }
    return this.#kept;
  }

  async again(): Promise<Asking> {
    const caged = await this.#parts.reopen();
    if ('why' in caged) throw new Error(caged.why);
    return caged.start(this.given);
  }

  close(): void {
    this.#parts.cage.close();
  }

  async #told(events: readonly Read[]): Promise<FoldReply | undefined> {
    const { cage, limits } = this.#parts;
    try {
      const reply = await cage.fold(events, patienceFor('fold', limits));
      if (reply.kind === 'folded') return reply;
      if ('parked' in reply && reply.parked !== undefined) this.#park(reply.parked);
    } catch (cause) {
      this.#died('fold', cause);
    }
    return undefined;
  }

  #isFor({ type, stream, at }: Read): boolean {
    if (this.#hears !== undefined && !this.#hears.has(type)) return false;
    if (this.stream !== undefined && this.stream !== stream) return false;
    return this.named.question.learns === true || at >= (this.given.since ?? -Infinity);
  }

  #park(parked: Parked, position: Position = 0): void {
    this.#parked = parked;
    this.#position = Math.max(this.#position, position);
  }

  #died(during: Parked['during'], cause: unknown): void {
    if (!(cause instanceof CageDied)) throw cause;
    const { message: error, last, isMemory } = cause;
    const { event, position } = last;
    this.#park(
      { during, error, ...(event && { event }), ...(isMemory && { memory: true }) },
      position,
    );
  }
}

type FoldReply = Extract<Reply, { kind: 'folded' }>;

const nothing: Folded = { lines: [], ranMs: 0 };

const toFolded = ({ lines, ranMs }: FoldReply): Folded => ({
  lines: lines === undefined ? [] : lines.split('\n'),
  ranMs,
});

/** What is absent came through JSON as null. */
function revived(answer: Answer): Answer {
  if (answer.kind === 'lines') return answer;
  return { ...answer, rows: answer.rows.map((row) => row.map((cell) => cell ?? undefined)) };
}
