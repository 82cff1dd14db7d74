/** One letter, followed from its acceptance to its end and judged at each step where control files decide. */
import type { RecordedEvent } from '../log/ports.ts';
import type { Address, MessageId, RecipientNo } from '../mail/envelope.ts';
import type { Instant } from '../platform/clock.ts';
import type { Parent, QueueEvent, Route } from '../queue/events.ts';
import { judgeBounce } from './bounce.ts';
import type { Difference, Side } from './differences.ts';
import { doorSide, judgeRecipient, letInBy, rightsBy, type Caller, type Judged } from './door.ts';
import type { KnownHomes } from './homes-cache.ts';
import type { OldRules } from './judge.ts';
import { homeSide, isSameHome, isSameWay, routeBy, routeSide } from './route.ts';
import type { RuleSet } from './rule-set.ts';
import { judgeVerdict, type TwoSides } from './schedule.ts';

type Recorded = RecordedEvent & QueueEvent;
type Accepted = Extract<Recorded, { type: 'MessageAccepted' }>;

export type LetterParts = {
  readonly rules: RuleSet;
  readonly old: OldRules;
  readonly homes: KnownHomes | undefined;
  readonly copyTo?: string;
};

export type Followed = {
  readonly message: MessageId;
  readonly parent: MessageId | undefined;
  differs: boolean;
  hear(event: Recorded): readonly Difference[];
};

export const openLetter = (message: MessageId, accepted: Accepted, parts: LetterParts): Followed =>
  new Letter(message, accepted, parts);

const none: readonly Difference[] = [];

/** A class, since a walk over millions of letters should not make a closure per method for each. */
class Letter implements Followed {
  readonly message: MessageId;
  readonly parent: MessageId | undefined;
  differs = false;
  readonly #parts: LetterParts;
  readonly #birth: Instant;
  readonly #returnPath: Address;
  readonly #why: Parent['why'] | undefined;
  readonly #addresses: Address[];
  readonly #caller: Caller | undefined;
  #digest = '';
  /** Recipients that are not followed any more, by what there was to say of them. */
  #refused: Set<RecipientNo> | undefined;
  #rerouted: Set<RecipientNo> | undefined;
  #rescheduled: Set<RecipientNo> | undefined;

  constructor(message: MessageId, { at, data }: Accepted, parts: LetterParts) {
    const { envelope, arrival, body, parent } = data;
    this.message = message;
    this.parent = parent?.message;
    this.#parts = parts;
    this.#birth = at;
    this.#returnPath = envelope.returnPath;
    this.#why = parent?.why;
    this.#addresses = [...envelope.recipients];
    const { peer, peerHost, size, auth, protocol } = arrival;
    // Who has said who it is, or comes by QMQP, is not asked for rcpthosts or relay rights.
    if (peer === undefined || auth !== undefined || protocol === 'QMQP') return;
    this.#caller = {
      ...{ peer, returnPath: envelope.returnPath, bytes: body.bytes },
      ...(peerHost === undefined ? {} : { peerHost }),
      ...(size === undefined ? {} : { size }),
    };
  }

  hear(event: Recorded): readonly Difference[] {
    switch (event.type) {
      case 'MessageQueued':
        return this.#queued(event);
      case 'AttemptStarted':
        return this.#started(event);
      case 'RecipientDeferred':
      case 'RecipientFailed':
        return this.#verdict(event);
      case 'RecipientRedirected':
        this.#addresses[event.data.rcpt] = event.data.to;
        // Whoever it was redirected to is somebody else.
        this.#rerouted?.delete(event.data.rcpt);
        this.#digest = '';
        return none;
      case 'BounceQueued': {
        const { rules, old } = this.#parts;
        const was = old.inForce(event.position);
        if (was?.aspects.bounce === rules.aspects.bounce) return none;
        const sides = judgeBounce(event.data, this.#returnPath, was, rules);
        return sides === undefined ? none : [this.#differ('bounce', event, undefined, sides)];
      }
      default:
        return none;
    }
  }

  #queued(event: Extract<Recorded, { type: 'MessageQueued' }>): readonly Difference[] {
    const { rules, old } = this.#parts;
    const { routes, controls } = event.data;
    this.#digest = controls;
    const was = old.of(controls, event.position);
    const told: Difference[] = [];
    const sameDoor = was?.aspects.door === rules.aspects.door;
    const sameWays = was?.aspects.routing === rules.aspects.routing && this.#keepsAddress(was);
    const asksDoor = this.#caller !== undefined && !(sameDoor && this.#parts.homes === undefined);
    if (!asksDoor && sameWays && this.#parts.homes === undefined) return none;
    routes.forEach((way, rcpt) => {
      const here = asksDoor ? this.#atDoor(rcpt, event, was, sameDoor) : undefined;
      if (here?.difference !== undefined) told.push(here.difference);
      if (this.#refused?.has(rcpt)) return;
      const address = here?.recipient ?? this.#addressBy(rcpt);
      const there = sameWays && here?.recipient === undefined ? way : routeBy(address, rules);
      told.push(...this.#compareWays(rcpt, event, [way, there], was));
    });
    return told;
  }

  /** Bounces of bounces go to an address out of two control files. */
  #keepsAddress(was: RuleSet | undefined): boolean {
    return (
      this.#why !== 'double-bounce' || was?.aspects.bounce === this.#parts.rules.aspects.bounce
    );
  }

  #addressBy(rcpt: RecipientNo): Address {
    const { doublebounceto, doublebouncehost } = this.#parts.rules.bounce;
    return this.#why === 'double-bounce'
      ? `${doublebounceto}@${doublebouncehost}`
      : this.#addresses[rcpt]!;
  }

  /** Whether a door would have taken the recipient, and as what. The copy for the operator passed no door. */
  #atDoor(rcpt: RecipientNo, event: RecordedEvent, was: RuleSet | undefined, isSame: boolean) {
    const caller = this.#caller!;
    const { rules, copyTo, homes } = this.#parts;
    const recorded = this.#addresses[rcpt]!;
    if (rcpt === 0 && recorded === copyTo) return undefined;
    const suffix = (was === undefined ? undefined : rightsBy(caller, was)?.relay) ?? '';
    const named =
      suffix !== '' && recorded.endsWith(suffix) ? recorded.slice(0, -suffix.length) : recorded;
    // By the same rules it was let in: that much is on record.
    const judged: Judged = isSame
      ? { certain: true, recipient: recorded }
      : judgeRecipient(named, caller, rules);
    const isIn = judged.refused === undefined;
    const homeless = isIn ? this.#homeless(judged.recipient ?? named, recorded, homes) : undefined;
    if (isIn && homeless === undefined) {
      const { recipient = recorded } = judged;
      return { recipient: recipient === recorded ? undefined : recipient, difference: undefined };
    }
    if (judged.certain) (this.#refused ??= new Set()).add(rcpt);
    const accepted = {
      what: 'accepted',
      lines: was === undefined ? [] : letInBy(named, caller, was),
    };
    const sides = { was: accepted, wouldBe: homeless ?? doorSide(judged, named, caller, rules) };
    const difference = {
      ...this.#differ('door', event, rcpt, sides),
      certain: judged.certain,
    };
    return { recipient: undefined, difference };
  }

  /** Nobody at home by the new files, where by the old ones somebody is: both as they are now. */
  #homeless(address: Address, recorded: Address, homes: KnownHomes | undefined): Side | undefined {
    if (homes === undefined) return undefined;
    const there = routeBy(address, this.#parts.rules);
    const home = there.channel === 'local' ? homes.wouldBe(there.address) : undefined;
    if (home === undefined || home.receives) return undefined;
    if (homes.was(there.address)?.receives === false && address === recorded) return undefined;
    return { what: 'refused: nobody-home', lines: homeSide(home).lines };
  }

  #compareWays(
    rcpt: RecipientNo,
    event: RecordedEvent,
    [way, there]: readonly [Route, Route],
    was: RuleSet | undefined,
  ): readonly Difference[] {
    const { rules, homes } = this.#parts;
    if (!isSameWay(way, there)) {
      if (this.#rerouted?.has(rcpt)) return none;
      (this.#rerouted ??= new Set()).add(rcpt);
      const sides = { was: routeSide(way, was?.files), wouldBe: routeSide(there, rules.files) };
      return [this.#differ('route', event, rcpt, sides)];
    }
    if (homes === undefined || way.channel !== 'local' || this.#rerouted?.has(rcpt)) return none;
    const [home, other] = [homes.was(way.address), homes.wouldBe(there.address)];
    if (home === undefined || other === undefined || isSameHome(home, other)) return none;
    (this.#rerouted ??= new Set()).add(rcpt);
    return [this.#differ('owner', event, rcpt, { was: homeSide(home), wouldBe: homeSide(other) })];
  }

  /** Routes are decided anew at each attempt: other rules than at the beginning may have been in force. */
  #started(event: Extract<Recorded, { type: 'AttemptStarted' }>): readonly Difference[] {
    const { rcpts, routes, controls } = event.data;
    if (controls === this.#digest) return none;
    const { rules, old } = this.#parts;
    const was = old.of(controls, event.position);
    if (was?.aspects.routing === rules.aspects.routing && this.#keepsAddress(was)) return none;
    return rcpts.flatMap((rcpt, index) => {
      const way = routes[index];
      if (way === undefined || this.#refused?.has(rcpt)) return none;
      const there = routeBy(this.#addressBy(rcpt), rules);
      return isSameWay(way, there) ? none : this.#compareWays(rcpt, event, [way, there], was);
    });
  }

  #verdict(
    event: Extract<Recorded, { type: 'RecipientDeferred' | 'RecipientFailed' }>,
  ): readonly Difference[] {
    const { rcpt } = event.data;
    if (this.#rescheduled?.has(rcpt) || this.#refused?.has(rcpt)) return none;
    const { rules, old } = this.#parts;
    const was = old.inForce(event.position);
    // The channel decides, too, and only a recipient that goes another way has another.
    const isRerouted = this.#rerouted?.has(rcpt) === true;
    if (was?.aspects.schedule === rules.aspects.schedule && !isRerouted) return none;
    const { channel } = routeBy(this.#addressBy(rcpt), rules);
    const sides = judgeVerdict(event, { birth: this.#birth, channel }, was, rules);
    if (sides === undefined) return none;
    (this.#rescheduled ??= new Set()).add(rcpt);
    return [{ ...this.#differ('schedule', event, rcpt, sides), fromRecord: true }];
  }

  #differ(
    kind: Difference['kind'],
    { position, at }: RecordedEvent,
    recipient: RecipientNo | undefined,
    { was, wouldBe }: TwoSides,
  ): Difference {
    return {
      ...{ kind, position, at, message: this.message },
      ...(recipient === undefined ? {} : { recipient, address: this.#addresses[recipient]! }),
      ...{ returnPath: this.#returnPath, was, wouldBe, certain: true, fromRecord: false },
    };
  }
}
