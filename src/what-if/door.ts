/** Who may send what to whom, judged again: letters that came in, and what was refused. Asks `ingress/accept.ts`. */
import { lookupTcpRule } from '../control/tcp-rules.ts';
import {
  admit,
  isBadReturnPath,
  rightsOf,
  sizeLimit,
  type ClientRights,
} from '../ingress/accept.ts';
import type { Address, Arrival } from '../mail/envelope.ts';
import { doorSaid, ipOf } from '../trace/reason-entry.ts';
import { lineOfValue, linesOf, type RuleLine } from '../trace/rules-of-the-day.ts';
import type { RefusedBecause } from '../trace/refusals.ts';
import type { Side } from './differences.ts';
import type { RuleSet } from './rule-set.ts';

/** What a door knew of a client and its letter. */
export type Caller = Pick<Arrival, 'peer' | 'peerHost' | 'size'> & {
  readonly returnPath: Address;
  /** As stored, with our Received field, a line end as two bytes; for letters whose size is not on record. */
  readonly bytes?: number;
};

export type Judged = {
  /** Absent: accepted. */
  readonly refused?: RefusedBecause;
  readonly certain: boolean;
  /** The recipient as it would stand in the envelope; absent when it is refused for sure. */
  readonly recipient?: Address;
};

/** Rights of a client by one set of rules; `undefined`: it may not connect. */
export function rightsBy(
  { peer = '', peerHost }: Pick<Caller, 'peer' | 'peerHost'>,
  { tcpRules }: RuleSet,
): ClientRights | undefined {
  const host = peerHost === undefined ? {} : { host: peerHost };
  const { allow, env } = lookupTcpRule(tcpRules, { ip: ipOf(peer), ...host });
  return allow ? rightsOf(env) : undefined;
}

/** One recipient as the client named it, in qmail's order: client, return path, relay or rcpthosts, size. */
export function judgeRecipient(named: Address, caller: Caller, rules: RuleSet): Judged {
  const rights = rightsBy(caller, rules);
  if (rights === undefined) return { refused: 'client-denied', certain: true };
  const bad = isBadReturnPath(caller.returnPath, rules.door);
  const admission = admit(named, bad, rules.door, rights);
  if (admission.kind !== 'admitted') return { refused: admission.kind, certain: true };
  const { recipient } = admission;
  const fits = fitsIn(caller, sizeLimit(rules.door, rights));
  if (fits === 'yes') return { certain: true, recipient };
  return fits === 'no'
    ? { refused: 'too-large', certain: true }
    : { refused: 'too-large', certain: false, recipient };
}

/** The same in words, with the lines that decide: made for what is told only. */
export const doorSide = (
  { refused }: Judged,
  named: Address,
  caller: Caller,
  rules: RuleSet,
): Side =>
  refused === undefined
    ? { what: 'accepted', lines: letInBy(named, caller, rules) }
    : { what: `refused: ${refused}`, lines: refusedBy(refused, named, caller, rules) };

/** Our Received field has two lines and is shorter than this. */
const longestReceived = 1_200;

/** Letters of before sizes were recorded: all that is known is a range, as every byte could be a line end. */
function fitsIn({ size, bytes }: Caller, limit: number): 'yes' | 'no' | 'perhaps' {
  if (size !== undefined) return size <= limit ? 'yes' : 'no';
  if (bytes === undefined || bytes <= limit) return 'yes';
  return (bytes - longestReceived) / 2 > limit ? 'no' : 'perhaps';
}

/** The lines that let a recipient in, for whoever reads the difference. */
export function letInBy(
  named: Address,
  caller: Pick<Caller, 'peer' | 'peerHost'>,
  rules: RuleSet,
): readonly RuleLine[] {
  const { client } = doorSaid(named, caller, rules);
  if (client?.relay !== undefined) return [client];
  const rule = rules.admits(named);
  return rule === undefined ? [] : linesOf(rule, rules.files);
}

/** For a domain that is in no list there is no line to show. */
export function refusedBy(
  because: RefusedBecause,
  named: Address,
  caller: Pick<Caller, 'peer' | 'peerHost' | 'returnPath'>,
  rules: RuleSet,
): readonly RuleLine[] {
  const { files, door } = rules;
  const { client } = doorSaid(named, caller, rules);
  // Refused for lack of a line: the client's own line at least says that it may not relay.
  if (because === 'client-denied' || because === 'not-in-rcpthosts')
    return client === undefined ? [] : [client];
  if (because === 'too-large')
    return client?.databytes !== undefined
      ? [client]
      : [lineOfValue('databytes', files, 'any size')];
  if (because !== 'bad-return-path') return [];
  const { returnPath } = caller;
  const keys = [returnPath, returnPath.slice(Math.max(0, returnPath.lastIndexOf('@')))];
  const key = keys.find((each) => door.badmailfrom.has(each));
  return key === undefined ? [] : linesOf(`badmailfrom: ${key}`, files);
}
