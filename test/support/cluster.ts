/**
 * Several engines on one log, each with the queue's whole mind and clocks of its own, in one process and
 * under a time that is pushed. The far side counts what it takes.
 */
import { Observable, Subject } from 'rxjs';
import { MemoryLog } from '../../src/log/memory/memory-log.ts';
import type { MessageId } from '../../src/mail/envelope.ts';
import { isTrouble } from '../../src/mail/trouble.ts';
import type { VerdictKind } from '../../src/mail/verdict.ts';
import { behindFence } from '../../src/nodes/fences.ts';
import { joinNodes, type Membership } from '../../src/nodes/membership.ts';
import { ManualClock } from '../../src/platform/clock.ts';
import { adopter } from '../../src/queue/adoption.ts';
import type { AttemptReport, Channel, Order } from '../../src/queue/ports.ts';
import { memorySpool } from '../../src/spool/memory/memory-spool.ts';
import { FaultyLog, turnOfTheLoop, type Fault } from './faulty-log.ts';
import { Fate, never, nodeLog } from './node-log.ts';
import { openPostOffice, settle, type PostOffice } from './post-office.ts';
import { birth } from './queue-mail.ts';
import { idOf } from './random-letters.ts';
import { ScavengedLog } from './scavenged-log.ts';
import type { Chance } from './seeded.ts';

/** Who sent which attempt on its way. */
export type Sent = {
  readonly by: string;
  readonly message: MessageId;
  readonly attempt: number;
};

export type Member = {
  /** Over restarts; also its data directory. */
  readonly name: string;
  /** Of this life. */
  readonly self: string;
  readonly fate: Fate;
  readonly wall: ManualClock;
  readonly steady: ManualClock;
  /** How fast its clocks run. */
  rate: number;
  readonly office: PostOffice;
  /** What it has asked of the log. */
  readonly asked: FaultyLog['asked'];
};

export type ClusterOptions = {
  readonly chance: Chance;
  readonly policy?: 'retry' | 'hold';
  /** Whether the log refuses what a node whose lease was taken wants to begin. */
  readonly fences?: boolean;
  /** So many events of a lease are kept; default: as many as its node asks for. */
  readonly leaseEvents?: number;
  /** Asked at each append of each node. */
  readonly fault?: () => Fault;
  /** What the far side says to a recipient; default: all is well. */
  readonly verdict?: (order: Order, rcpt: number) => VerdictKind;
  /** Whether the far side takes its time, until `answer`. */
  readonly hangs?: (order: Order) => boolean;
};

/** Time goes in steps of this: less than a beat. */
const stepMs = 2_500;

export class Cluster {
  readonly bodies = new Map<string, Uint8Array>();
  readonly inner = new MemoryLog(this.bodies);
  readonly log: ScavengedLog;
  readonly spool = memorySpool(this.bodies);
  readonly members: Member[] = [];
  /** How often the far side took the letter for this recipient (`<message>/<rcpt>`). */
  readonly taken = new Map<string, number>();
  readonly sent: Sent[] = [];
  readonly promised: MessageId[] = [];
  /** How often a fence has kept something from being begun. */
  fenced = 0;
  /** What stopped a pipeline, and what was no trouble but a bug; nothing may. */
  readonly wrong: unknown[] = [];
  readonly #options: ClusterOptions;
  readonly #answers$ = new Subject<void>();
  #letters = 0;
  #lives = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.log = new ScavengedLog(this.inner, options.leaseEvents);
  }

  /** A start, or a start again under the same name. */
  async start(name: string, { rate = 1, offsetMs = 0, boot = '' } = {}): Promise<Member> {
    const { chance, policy = 'retry', fences: fenced = false } = this.#options;
    this.#lives += 1;
    const self = `${String(this.#lives).padStart(4, '0')}-${name}`;
    const fate = new Fate();
    const wall = new ManualClock(birth + this.#now + offsetMs);
    const steady = new ManualClock(birth);
    const faulty = new FaultyLog(this.log);
    const log = nodeLog(faulty, fate, chance);
    let node: Membership | undefined;
    const office = await openPostOffice({
      ...{
        log,
        lettersLog: fenced ? behindFence(log, self) : log,
        spool: this.spool,
        clock: wall,
        channel: this.#channel(self, fate),
      },
      ...{ inDoubt: policy, keepLetters: 5 },
      slots: () => {
        if (node?.mayStart() !== true) return { local: 0, remote: 0 };
        return { local: node.part(6), remote: node.part(10) };
      },
      node: (letters) =>
        (node = joinNodes({
          ...{ log, clock: steady, self, node: name, home: name, boot, fenced },
          adopt: adopter({ letters, clock: wall, self }),
          onLetter: (message, revision) => letters.heard(message, revision),
          onTrouble: (cause) => {
            if (!isTrouble(cause)) this.wrong.push(cause);
          },
        })),
    });
    // A start on a bad log fails as a whole and is made again: that is the supervisor's business.
    if (this.#options.fault !== undefined) faulty.fault = this.#options.fault;
    const { asked } = faulty;
    const member: Member = { name, self, fate, wall, steady, rate, office, asked };
    this.members.push(member);
    return member;
  }

  #now = 0;

  /** As KILL does it. */
  crash(member: Member): void {
    member.fate.over = true;
    member.fate.resume();
    member.office.crash();
    this.#look(member);
    this.members.splice(this.members.indexOf(member), 1);
  }

  #look({ office }: Member): void {
    this.wrong.push(...office.fatal, ...office.troubles.filter((cause) => !isTrouble(cause)));
    this.fenced += office.troubles.filter((cause) => isTrouble(cause, 'fenced')).length;
  }

  /** The end of the test: nobody runs any more. */
  end(): void {
    for (const member of [...this.members]) this.crash(member);
  }

  /** Real time: all clocks go on, each as fast as it does. */
  async pass(ms: number): Promise<void> {
    for (let done = 0; done < ms; done += stepMs) {
      this.#now += stepMs;
      for (const { fate, wall, steady, rate } of this.members) {
        if (fate.paused) continue;
        wall.advance(stepMs * rate);
        steady.advance(stepMs * rate);
      }
      await settle(4);
    }
  }

  /** Somebody sets all clocks on, as far as letters are concerned: leases go by another clock. */
  async skip(ms: number): Promise<void> {
    const until = this.members.map(({ wall }) => wall.now() + ms);
    this.#now += ms;
    for (;;) {
      const waiting = this.members.filter(
        ({ wall }, index) => (wall.next() ?? Infinity) <= until[index]!,
      );
      if (waiting.length === 0) break;
      for (const { wall } of waiting) wall.advanceTo(wall.next()!);
      await settle(6);
    }
    this.members.forEach(({ wall }, index) => wall.advanceTo(until[index]!));
  }

  /** A letter at that node's door; resolves with its id when it is promised, else with nothing. */
  async post(
    member: Member,
    recipients: readonly string[],
    returnPath = 'joe@here.test',
  ): Promise<MessageId | undefined> {
    const id = idOf((this.#letters += 1));
    return member.office.post(id, returnPath, recipients).then(
      () => {
        this.promised.push(id);
        return id;
      },
      (cause: unknown) => {
        if (isTrouble(cause, 'fenced')) this.fenced += 1;
        return undefined;
      },
    );
  }

  get letters(): number {
    return this.#letters;
  }

  /** What hung hangs no more. */
  answer(): void {
    this.#answers$.next();
  }

  #channel(self: string, fate: Fate): Channel {
    return {
      attempt: (order) =>
        new Observable((subscriber) => {
          this.#attempt(order, self, fate).then(
            (report) => {
              subscriber.next(report);
              subscriber.complete();
            },
            (cause: unknown) => subscriber.error(cause),
          );
        }),
    };
  }

  async #attempt(order: Order, self: string, fate: Fate): Promise<AttemptReport> {
    const { chance, verdict = () => 'delivered' as const, hangs } = this.#options;
    this.sent.push({ by: self, message: order.message, attempt: order.attempt });
    for (let turns = chance.below(3); turns > 0; turns -= 1) await turnOfTheLoop();
    if (fate.over) return never();
    const outcomes = order.recipients.map(({ rcpt }) => {
      const kind = verdict(order, rcpt);
      const name = `${order.message}/${rcpt}`;
      if (kind === 'delivered') this.taken.set(name, (this.taken.get(name) ?? 0) + 1);
      return { rcpt, kind, reply: { text: `${kind}\n`, code: 250 } };
    });
    // The far side has it; its answer is on the way.
    if (hangs?.(order) === true) {
      await new Promise<void>((resolve) => {
        const waiting = this.#answers$.subscribe(() => {
          waiting.unsubscribe();
          resolve();
        });
      });
    }
    await fate.here();
    return { outcomes };
  }
}
