/** A refusal on record, judged again: whether the same client would have been let in with the same words. */
import { sizeLimit } from '../ingress/accept.ts';
import type { Address } from '../mail/envelope.ts';
import type { Refusal } from '../trace/refusals.ts';
import type { Difference, Side } from './differences.ts';
import { doorSide, judgeRecipient, refusedBy, rightsBy, type Caller } from './door.ts';
import type { KnownHomes } from './homes-cache.ts';
import { routeBy } from './route.ts';
import type { RuleSet } from './rule-set.ts';

/** `undefined`: it would have been refused again, or control files had no say in it. */
export function judgeRefusal(
  refusal: Refusal,
  was: RuleSet | undefined,
  rules: RuleSet,
  homes: KnownHomes | undefined,
): Difference | undefined {
  if (was?.aspects.door === rules.aspects.door && refusal.because !== 'nobody-home')
    return undefined;
  const verdict = letIn(refusal, was, rules, homes);
  if (verdict === undefined) return undefined;
  const { position, at, peer, recipient, returnPath, because } = refusal;
  const lines =
    was === undefined ? [] : refusedBy(because, recipient ?? '', toCaller(refusal), was);
  return {
    ...{ kind: 'door', position, at, peer, fromRecord: false },
    ...(recipient === undefined ? {} : { address: recipient }),
    ...(returnPath === undefined ? {} : { returnPath }),
    was: { what: `refused: ${because}`, lines },
    ...verdict,
  };
}

type Verdict = { readonly wouldBe: Side; readonly certain: boolean };

const toCaller = ({ peer, returnPath = '' }: Refusal): Caller => ({ peer, returnPath, size: 0 });

function letIn(
  refusal: Refusal,
  was: RuleSet | undefined,
  rules: RuleSet,
  homes: KnownHomes | undefined,
): Verdict | undefined {
  const { because, recipient } = refusal;
  const caller = toCaller(refusal);
  switch (because) {
    case 'client-denied':
      // What it would have said we shall never know.
      return rightsBy(caller, rules) === undefined
        ? undefined
        : { wouldBe: { what: 'let in to speak', lines: [] }, certain: true };
    case 'bad-return-path':
    case 'not-in-rcpthosts':
      return recipient === undefined ? undefined : taken(recipient, caller, rules, homes);
    case 'nobody-home': {
      if (recipient === undefined || homes === undefined) return undefined;
      const suffix = (was === undefined ? undefined : rightsBy(caller, was)?.relay) ?? '';
      const named = suffix === '' ? recipient : recipient.slice(0, -suffix.length);
      return taken(named, caller, rules, homes);
    }
    case 'too-large':
      return larger(caller, was, rules);
    case 'looping':
    case 'crowded':
    case 'trouble':
    case 'protocol':
    case 'injection':
      return undefined;
  }
}

function taken(
  named: Address,
  caller: Caller,
  rules: RuleSet,
  homes: KnownHomes | undefined,
): Verdict | undefined {
  const judged = judgeRecipient(named, caller, rules);
  if (judged.refused !== undefined) return undefined;
  const wouldBe = doorSide(judged, named, caller, rules);
  const way = routeBy(judged.recipient ?? named, rules);
  if (way.channel !== 'local') return { wouldBe, certain: true };
  const home = homes?.wouldBe(way.address);
  if (home !== undefined && !home.receives) return undefined;
  // Whether anybody lives there the control files alone do not say.
  return { wouldBe, certain: home !== undefined };
}

/** The size itself is not on record: it was more than the limit of its day. */
function larger(caller: Caller, was: RuleSet | undefined, rules: RuleSet): Verdict | undefined {
  const rights = rightsBy(caller, rules);
  const before = was === undefined ? undefined : rightsBy(caller, was);
  if (rights === undefined || was === undefined || before === undefined) return undefined;
  const limit = sizeLimit(rules.door, rights);
  if (limit <= sizeLimit(was.door, before)) return undefined;
  const what = limit === Infinity ? 'accepted' : `accepted, if not above ${limit} bytes`;
  const lines = refusedBy('too-large', '', caller, rules);
  return { wouldBe: { what, lines }, certain: limit === Infinity };
}
