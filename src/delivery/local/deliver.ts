/**
 * One letter to one local recipient: the order of things in qmail-local, which decides what error wins.
 * Checks of the home, loop, search for the dot-qmail file, sender, the lines from the top; forwards are only
 * collected, and asked for when every line has worked. The first line that does not ends it all.
 */
import { dirname } from 'node:path';
import type { Owner } from '../../aliases/owner.ts';
import type { Address } from '../../mail/envelope.ts';
import { LineRecord } from '../../mail/lines-done.ts';
import type { Verdict } from '../../mail/verdict.ts';
import type { DeliverParts, Delivery, Errand } from './delivery.ts';
import { parseDotQmail } from './dot-qmail.ts';
import { deliveredToLine, environment, type Facts } from './env.ts';
import { defer, fail, type Halt } from './halt.ts';
import { checkHome, makeHome } from './home.ts';
import type { Who } from './identity.ts';
import { carryOut } from './instructions.ts';
import { LetterUnreadable } from './letter.ts';
import { hasBeenHere } from './loop-guard.ts';
import { keepsSender, newSender } from './new-sender.ts';
import { DeliveryReport } from './report.ts';
import { findDotQmail, findOwnerFiles, type DotQmail } from './search.ts';
import { toVerdict } from './to-verdict.ts';

/** A forward without the recipient it belongs to. */
export type Forwarding = {
  readonly returnPath: Address;
  readonly recipients: readonly Address[];
  readonly prefix: string;
};

export type Delivered = { readonly verdict: Verdict; readonly forwarding?: Forwarding };

export async function deliver(parts: DeliverParts, delivery: Delivery): Promise<Delivered> {
  const who = parts.identity.whoFor(delivery.owner);
  const prepared = await prepare(parts, delivery, who);
  const report = new DeliveryReport();
  if (isHalt(prepared)) return { verdict: toVerdict(report, prepared) };

  const { dotQmail, facts } = prepared;
  const instructions = parseDotQmail(dotQmail.text, dotQmail.forwardOnly);
  const lines = new LineRecord(dotQmail.name, delivery.owner.by);
  const errand: Errand = {
    ...delivery,
    facts,
    who,
    env: () => environment(facts, parts.inherited),
    report,
    lines,
  };
  const outcome = await carryOut(parts, errand, instructions);
  const done = { lines: lines.all() };
  if (isHalt(outcome)) return { verdict: { ...toVerdict(report, outcome), ...done } };
  report.addLine(`did ${outcome.files}+${outcome.forwards.length}+${outcome.programs}`);
  const verdict = { ...toVerdict(report), ...done };
  if (outcome.forwards.length === 0) return { verdict };
  return { verdict, forwarding: forwarding(facts, outcome.forwards) };
}

/** Return-Path is not added: the forward has a sender of its own. */
const forwarding = (facts: Facts, recipients: readonly Address[]): Forwarding => ({
  returnPath: facts.newSender,
  recipients,
  prefix: deliveredToLine(facts).replace('\n', '\r\n'),
});

type Prepared = { readonly dotQmail: DotQmail; readonly facts: Facts };

const isHalt = (value: object): value is Halt => 'kind' in value;

/** All that comes before the first instruction. */
async function prepare(
  parts: DeliverParts,
  delivery: Delivery,
  who: Who,
): Promise<Prepared | Halt> {
  if (delivery.owner.uid === 0 || (who.uid === 0 && !parts.identity.lendsRoot)) {
    return defer('Not allowed to perform deliveries as root.');
  }
  const home = await enterHome(parts, delivery.owner, who);
  if (home !== undefined) return home;
  const loop = await checkLoop(delivery);
  if (loop !== undefined) return loop;
  return parts.identity.as(who, () => search(parts, delivery));
}

async function enterHome(
  { files, identity, syncDirectory }: DeliverParts,
  owner: Owner,
  who: Who,
): Promise<Halt | undefined> {
  const look = () => identity.as(who, () => checkHome(files, owner));
  const first = look();
  if (first !== 'missing') return first;
  const halt = makeHome(files, owner.home, who, identity);
  if (halt !== undefined) return halt;
  await syncDirectory(dirname(owner.home), (run) => run());
  const again = look();
  return again === 'missing' ? defer(`Unable to switch to ${owner.home}. (#4.3.0)`) : again;
}

async function checkLoop(delivery: Delivery): Promise<Halt | undefined> {
  try {
    if (!(await hasBeenHere(delivery.letter, deliveredToLine(delivery)))) return undefined;
    return fail('This message is looping: it already has my Delivered-To line. (#5.4.6)');
  } catch (cause) {
    if (cause instanceof LetterUnreadable) return defer('Unable to read message. (#4.3.0)');
    throw cause;
  }
}

function search({ files, clock }: DeliverParts, delivery: Delivery): Prepared | Halt {
  const { owner, local, domain, settings } = delivery;
  const found = findDotQmail(files, owner, settings.defaultDelivery);
  if ('halt' in found) return found.halt;
  const { returnPath: sender } = delivery;
  // A bounce keeps its sender whatever files there are: no need to look.
  const none = { owner: false, ownerDefault: false };
  const ownerFiles = keepsSender(sender) ? none : findOwnerFiles(files, owner);
  if (isHalt(ownerFiles)) return ownerFiles;
  const { user, home, ext } = owner;
  return {
    dotQmail: found,
    facts: {
      ...{ user, home, ext, local, domain, sender, rest: found.rest, at: clock.now() },
      newSender: newSender(sender, { local, domain }, ownerFiles),
    },
  };
}
